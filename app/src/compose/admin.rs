//! The admin API.

use std::sync::Arc;

use processor_admin::{Devices, LogLevel, LogLevels};
use processor_database::Database;
use processor_domain::ports::SystemClock;
use processor_live::Live;
use processor_web::{Admin, AdminLimits, AdminPorts};

use crate::config::Config;
use crate::log::Levels;

/// The admin API with what it shows and does, or that it is off.
pub(crate) fn admin(config: &Config, database: &Database, live: Option<Live>, levels: Levels) -> Admin {
    let Some(token) = config.admin_token.clone() else { return Admin::off() };
    let (clock, database) = (Arc::new(SystemClock), database.for_operators());
    let devices = Devices {
        records: database.device_records(),
        last_positions: database.last_positions(),
        memory: database.device_memory(clock.clone()),
        letters: None,
        enrolments: database.enrolments(),
        live,
        clock,
    };
    let log_level = LogLevel::new(Arc::new(Log(levels)), config.log.level.as_str());
    let ports = AdminPorts { configuration: config.in_force.clone(), devices, log_level };
    Admin::new(token, ports, AdminLimits::default())
}

/// The log of this process.
struct Log(Levels);

impl LogLevels for Log {
    fn change(&self, directives: &str) -> bool {
        self.0.change(directives).is_ok()
    }
}
