//! Every word of the vocabulary comes back equal from JSON.

mod arbitrary;

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use proptest::{collection::vec, option, prelude::*};
use serde::{Serialize, de::DeserializeOwned};

use self::arbitrary::{STATES, action, control, engine, event, moment, preview, result, state, task, text};
use super::{Health, Limit, Minute, Moment, SourceState, StateKind, Total};

fn back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let json = serde_json::to_string(value).map_err(|error| TestCaseError::fail(error.to_string()))?;
    match serde_json::from_str::<T>(&json) {
        Ok(read) => {
            prop_assert_eq!(&read, value, "{}", json);
            Ok(())
        }
        Err(error) => Err(TestCaseError::fail(format!("{error}: {json}"))),
    }
}

proptest! {
    #[test]
    fn what_is_shown_comes_back_equal(engine in engine(), preview in preview()) {
        back(&engine)?;
        back(&preview)?;
    }

    #[test]
    fn what_happens_and_what_is_asked_come_back_equal(event in event(), control in control()) {
        back(&event)?;
        back(&control)?;
    }

    #[test]
    fn records_come_back_equal(
        task in task(),
        result in result(),
        action in action(),
        total in any::<(u64, u64, i64)>(),
    ) {
        back(&task)?;
        back(&action)?;
        back(&result)?;
        back(&Total { total_in: total.0, total_out: total.1, net: total.2 })?;
    }

    #[test]
    fn the_small_words_come_back_equal(
        state in state(),
        moment in moment(),
        limit in (option::of(text()), any::<(i64, i64)>()),
        minute in any::<(i64, u32, u32, i64, bool)>(),
        health in (vec(text(), 0..3), vec(text(), 0..3), any::<u64>()),
    ) {
        back(&state)?;
        back(&moment)?;
        back(&Limit { zone: limit.0, current: limit.1.0, limit: limit.1.1 })?;
        let (minute, total_in, total_out, current, watched) = minute;
        back(&Minute { minute, total_in, total_out, current, watched })?;
        back(&Health { problems: health.0, notices: health.1, lost: health.2 })?;
    }
}

#[test]
fn a_state_is_serialised_as_the_word_that_is_shown() {
    for state in STATES {
        assert_eq!(serde_json::json!(state), state.word());
    }
    let at = Moment::new(Duration::from_secs(9));
    for state in [
        SourceState::Queued,
        SourceState::Retrying { attempt: 2, at },
        SourceState::Failed { next: None },
        SourceState::AuthFailed { at },
        SourceState::NoSuchStream { at },
        SourceState::Unsupported,
    ] {
        assert_eq!(serde_json::json!(state)["state"], state.word());
    }
    assert_eq!(BTreeSet::from(STATES.map(StateKind::word)).len(), STATES.len());
}
