//! The admin API.

use std::sync::Arc;

use processor_admin::{Consumers, DeadLetterDesk, Devices, LogLevel, LogLevels, Place};
use processor_database::Database;
use processor_domain::ports::{RosterSource, SystemClock};
use processor_live::Live;
use processor_web::{Admin, AdminLimits, AdminPorts};

use super::Source;
use crate::config::Config;
use crate::log::Levels;

/// The admin API with what it shows and does, or that it is off. `database` is that of operators.
pub(crate) fn admin(
    config: &Config,
    source: &Source,
    database: &Database,
    roster: Arc<dyn RosterSource>,
    live: Option<Live>,
    levels: Levels,
) -> Admin {
    let Some(token) = config.admin_token.clone() else { return Admin::off() };
    let clock = Arc::new(SystemClock);
    let dead_letters = Arc::new(dead_letters(config, source, database));
    let devices = Devices {
        records: database.device_records(),
        last_positions: database.last_positions(),
        memory: database.device_memory(clock.clone()),
        letters: Some(dead_letters.clone()),
        enrolments: database.enrolments(),
        live,
        clock: clock.clone(),
    };
    let ports = AdminPorts {
        configuration: config.in_force.clone(),
        devices,
        log_level: LogLevel::new(Arc::new(Log(levels)), config.log.level.as_str()),
        consumers: Arc::new(Consumers::new(source.groups.clone(), clock)),
        dead_letters,
        history: database.history(),
        roster,
        marks: database.marks(),
    };
    Admin::new(token, ports, AdminLimits::default())
}

fn dead_letters(config: &Config, source: &Source, database: &Database) -> DeadLetterDesk {
    let places = [
        (Place::Stream, Arc::clone(&source.dead_letter_queue)),
        (Place::Table, database.dead_letter_queue()),
    ];
    DeadLetterDesk::new(source.publishers.clone(), places.into(), config.limits.max_bytes)
}

/// The log of this process.
struct Log(Levels);

impl LogLevels for Log {
    fn change(&self, directives: &str) -> bool {
        self.0.change(directives).is_ok()
    }
}
