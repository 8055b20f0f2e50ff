use proptest::prelude::*;

use crate::model::Model;
use crate::modes::Stores;
use crate::operation::{Operation, operation};

/// Runs operations on stores in every mode and on the model, and compares each answer.
fn run(operations: &[Operation]) {
    let stores = Stores::in_every_mode();
    let mut model = Model::default();
    for (step, operation) in operations.iter().enumerate() {
        let expected = model.run(operation);
        for stores in &stores {
            let found = operation.run(stores);
            let name = stores.name;
            assert_eq!(found, expected, "{name}, step {step}: {operation:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_mode_answers_like_the_model(operations in prop::collection::vec(operation(), 1..40)) {
        run(&operations);
    }
}
