//! What a statement claims to create, and running it so that it can do nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error, Result, Statement, ffi};

use crate::table::{CarriedTables, ObjectType, SchemaObject, TableSchema};

/// The type of an object that a statement creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimType {
    Table,
    VirtualTable,
    Index,
    View,
    Trigger,
}

impl ClaimType {
    /// The type in the words of a report.
    pub(super) fn noun(self) -> &'static str {
        match self {
            ClaimType::Table => "table",
            ClaimType::VirtualTable => "virtual table",
            ClaimType::Index => "index",
            ClaimType::View => "view",
            ClaimType::Trigger => "trigger",
        }
    }
}

impl From<ObjectType> for ClaimType {
    fn from(object_type: ObjectType) -> Self {
        match object_type {
            ObjectType::VirtualTable => ClaimType::VirtualTable,
            ObjectType::Index => ClaimType::Index,
            ObjectType::View => ClaimType::View,
            ObjectType::Trigger => ClaimType::Trigger,
        }
    }
}

/// An object of the schema as a KV file describes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) claim_type: ClaimType,
    pub(super) name: &'a str,
    /// The table that it belongs to; for a table or view its own name.
    pub(super) table: &'a str,
    pub(super) sql: &'a str,
}

impl<'a> From<&'a TableSchema> for Claim<'a> {
    fn from(table: &'a TableSchema) -> Self {
        let TableSchema { name, sql, .. } = table;
        Claim { claim_type: ClaimType::Table, name, table: name, sql }
    }
}

impl<'a> From<&'a SchemaObject> for Claim<'a> {
    fn from(object: &'a SchemaObject) -> Self {
        let SchemaObject { object_type, name, table, sql } = object;
        Claim { claim_type: (*object_type).into(), name, table, sql }
    }
}

impl Claim<'_> {
    /// Runs the statement.
    ///
    /// # Errors
    /// The statement does not create the object, or would do something else.
    pub(super) fn create(&self, connection: &mut Connection) -> Result<()> {
        self.authorized(connection, |mut statement| statement.execute([]).map(drop))
    }

    /// Prepares the statement without running it.
    ///
    /// # Errors
    /// The statement does not create the object, or would do something else.
    pub(super) fn prepare(&self, connection: &mut Connection) -> Result<()> {
        self.authorized(connection, |_| Ok(()))
    }

    fn authorized(
        &self,
        connection: &mut Connection,
        run: impl FnOnce(Statement<'_>) -> Result<()>,
    ) -> Result<()> {
        let authorizer = Authorizer {
            claim_type: self.claim_type,
            name: self.name.to_owned(),
            table: self.table.to_owned(),
        };
        let creates = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&creates);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            match authorizer.decide(&context) {
                Decision::Creates => seen.store(true, Ordering::Relaxed),
                Decision::Allow => (),
                Decision::Deny => return Authorization::Deny,
            }
            Authorization::Allow
        }))?;
        let result = connection.prepare(self.sql).and_then(|statement| {
            match creates.load(Ordering::Relaxed) && statement.is_explain() == 0 {
                true => run(statement),
                false => Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_AUTH), None)),
            }
        });
        connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        result
    }
}

/// Decides what a statement may do. SQLite creates an object by writing to `sqlite_master`, and
/// builds an index as it rebuilds one.
struct Authorizer {
    claim_type: ClaimType,
    name: String,
    table: String,
}

enum Decision {
    /// The claimed object is being created.
    Creates,
    Allow,
    Deny,
}

impl Authorizer {
    fn decide(&self, context: &AuthContext<'_>) -> Decision {
        let elsewhere = context.database_name.is_some_and(|database| database != "main");
        match context.action {
            _ if elsewhere || context.accessor.is_some() => Decision::Deny,
            action if self.is_creation(action) => Decision::Creates,
            action if self.is_needed(action) => Decision::Allow,
            _ => Decision::Deny,
        }
    }

    fn is_creation(&self, action: AuthAction<'_>) -> bool {
        let (claim_type, name, table) = match action {
            AuthAction::CreateTable { table_name } => (ClaimType::Table, table_name, None),
            AuthAction::CreateVtable { table_name, .. } => {
                (ClaimType::VirtualTable, table_name, None)
            }
            AuthAction::CreateView { view_name } => (ClaimType::View, view_name, None),
            AuthAction::CreateIndex { index_name, table_name } => {
                (ClaimType::Index, index_name, Some(table_name))
            }
            AuthAction::CreateTrigger { trigger_name, table_name } => {
                (ClaimType::Trigger, trigger_name, Some(table_name))
            }
            _ => return false,
        };
        claim_type == self.claim_type
            && name == self.name
            && table.is_none_or(|table| self.is_its_table(table))
    }

    fn is_needed(&self, action: AuthAction<'_>) -> bool {
        let is = |claim_type| self.claim_type == claim_type;
        match action {
            AuthAction::Insert { table_name } | AuthAction::Update { table_name, .. } => {
                table_name == "sqlite_master"
            }
            AuthAction::Read { table_name, .. } => {
                table_name == "sqlite_master" || self.is_its_table(table_name)
            }
            // Those that could do harm are not available to a schema that is not trusted.
            AuthAction::Function { .. } => is(ClaimType::Table) || is(ClaimType::Index),
            AuthAction::CreateTable { table_name } => {
                is(ClaimType::Table) && table_name == "sqlite_sequence"
            }
            AuthAction::CreateIndex { index_name, table_name } => {
                let automatic = index_name.starts_with("sqlite_autoindex_");
                is(ClaimType::Table) && automatic && self.is_its_table(table_name)
            }
            AuthAction::Reindex { index_name } => is(ClaimType::Index) && index_name == self.name,
            _ => false,
        }
    }

    fn is_its_table(&self, table: &str) -> bool {
        table.eq_ignore_ascii_case(&self.table)
    }
}

/// The ordinary tables.
pub(super) fn tables(carried: &CarriedTables) -> impl Iterator<Item = Claim<'_>> {
    carried.tables.iter().map(|table| Claim::from(table.as_ref()))
}

/// The other objects of a type, in the order of the schema.
pub(super) fn objects(
    carried: &CarriedTables,
    claim_type: ClaimType,
) -> impl Iterator<Item = Claim<'_>> {
    let objects = carried.whole.iter().flat_map(|whole| &whole.objects);
    objects.map(Claim::from).filter(move |claim| claim.claim_type == claim_type)
}
