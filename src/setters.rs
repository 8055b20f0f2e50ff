//! Setters of options. With them, options can grow without breaking their callers.

/// Defines a setter for each of some fields.
macro_rules! setters {
    ($($field:ident: $value:ty),+ $(,)?) => {
        $(
            #[doc = concat!(
                "Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").",
            )]
            #[must_use]
            pub fn $field(mut self, $field: $value) -> Self {
                self.$field = $field.into();
                self
            }
        )+
    };
}

pub(crate) use setters;
