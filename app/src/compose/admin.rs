//! The admin API.

use processor_web::{Admin, AdminLimits, AdminPorts};

use crate::config::Config;

/// The admin API with what it shows and does.
pub(crate) fn admin(config: &Config) -> Admin {
    let ports = AdminPorts { configuration: config.in_force.clone() };
    Admin { token: config.admin_token.clone(), ports, limits: AdminLimits::default() }
}
