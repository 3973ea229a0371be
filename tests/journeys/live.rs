//! What viewers see of the live river, and who they have to be.
//!
//! A story begins with a [`LiveStage`]. Its viewers check with every frame that none is missing before it and that
//! no car moves back in time, so no story has to; what it asks at its end is whether they see what the table says.

mod live_stage;

mod a_car_that_is_missed;
mod a_connection_to_redis_that_breaks;
mod a_database_that_goes_away;
mod a_day;
mod a_device_that_changes_events;
mod a_directus_that_is_away;
mod a_stop_with_viewers;
mod a_viewer_that_does_not_read;
mod an_operator_who_marks;
mod messages_that_are_none;
mod rights_that_end;
mod servers_that_take_over;
mod subscriptions_under_load;
mod the_page;
mod the_page_to_those_who_may_not;
mod two_instances;
mod viewers_who_read_slowly;
mod viewers_who_stall;
mod who_is_let_in;

pub(crate) use live_stage::{ANN, LiveStage, RALLY, ann};
