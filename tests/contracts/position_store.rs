//! The promises of [`PositionStore`](processor_domain::ports::PositionStore), for every implementation.
//!
//! [`laws`] has one function for each promise; [`position_store_contract`] makes a test of each for one
//! [`DatabaseFixture`](crate::databases::DatabaseFixture).

pub(crate) mod laws;
pub(crate) mod model;
mod on_sqlite;
mod on_timescale;
pub(crate) mod refusals;

use processor_domain::{Faults, Judged, Novelty, Position};

/// A position that the store is likely to have.
pub(crate) fn suspect(position: Position) -> Judged {
    Judged { position, faults: Faults::NONE, novelty: Novelty::Suspect }
}

/// A position that is newer than everything known of its device.
fn fresh(position: Position) -> Judged {
    Judged { novelty: Novelty::Fresh, ..suspect(position) }
}

fn faulty(position: Position, faults: impl Into<Faults>) -> Judged {
    Judged { faults: faults.into(), ..suspect(position) }
}

/// Makes one test for each law, on a database of its own.
macro_rules! position_store_contract {
    ($fixture:ty) => {
        position_store_contract! { $fixture: laws:
            twice_is_once,
            a_batch_known_in_part_stores_what_is_new,
            a_row_keeps_all_that_a_position_says,
            keys_are_told_apart_by_the_microsecond,
            batches_of_any_size_are_stored,
            attributes_are_united_and_the_first_value_stays,
            the_higher_priority_stays,
            a_good_place_takes_the_place_of_a_faulty_one,
            the_first_of_a_batch_wins_and_the_others_are_united_with_it,
            the_first_of_a_batch_wins_whatever_the_hints_say,
            repeats_that_were_called_fresh_are_found_all_the_same,
        }
        position_store_contract! { $fixture: refusals:
            a_row_that_is_refused_is_told_apart_and_the_others_are_stored,
            a_refused_row_among_fresh_ones_is_told_apart,
            many_refused_rows_are_told_apart,
            when_the_first_of_a_key_is_refused_the_next_is_stored,
            a_refused_repeat_leaves_its_row_alone,
            a_time_that_cannot_be_kept_is_refused,
        }
        position_store_contract! { $fixture: model:
            batches_at_random_do_what_the_model_does,
        }
    };
    ($fixture:ty: $laws:ident: $($law:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $law() -> anyhow::Result<()> {
                let fixture = <$fixture as crate::databases::DatabaseFixture>::start().await?;
                let database = crate::databases::DatabaseFixture::database(&fixture);
                crate::position_store::$laws::$law(database).await
            }
        )+
    };
}
use position_store_contract;
