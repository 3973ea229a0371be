//! The command line: which command, with which settings.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use processor_replay::Pace;

use crate::config::{Config, Fault, SETTINGS, Values};
use crate::run::Ended;
use crate::telemetry::Telemetry;
use crate::{command, log};

/// Runs the command that was asked for and says how it ended.
///
/// 0: done, or stopped as asked. 64: the configuration or the command line has faults. 69: a service could not
/// be reached in the time allowed at the start. 70: a task ended that should not have.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match cli().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            let asked_for_help = !error.use_stderr();
            // Where this is printed to being gone is no reason to fail differently.
            error.print().ok();
            return if asked_for_help { ExitCode::SUCCESS } else { Ended::Misconfigured.exit_code() };
        }
    };
    let (name, options) = matches.subcommand().unwrap_or(("serve", &matches));
    let values = values(options);
    let config = match Config::read(&values) {
        Ok(config) => config,
        Err(faults) => {
            report(&faults);
            return Ended::Misconfigured.exit_code();
        }
    };
    if name == "check-config" {
        return command::check_config(&values);
    }
    let telemetry = match config.telemetry.as_ref().filter(|_| name != "healthcheck") {
        Some(settings) => Telemetry::start(settings, &config.instance_id).map(Some),
        None => Ok(None),
    };
    let (telemetry, spans) = match telemetry {
        Ok(started) => started.unzip(),
        Err(error) => {
            eprintln!("There can be no tracing: {error:#}");
            return Ended::Misconfigured.exit_code();
        }
    };
    let levels = log::install(&config.log, spans);
    let ended = in_runtime(async {
        match name {
            "demo" => command::demo(config, demo_options(options), levels).await,
            "migrate" => command::migrate(config).await,
            "replay" => command::replay(config, replay_options(options), levels).await,
            "simulate" => command::simulate(config, simulate_options(options)).await,
            "healthcheck" => command::healthcheck(&config).await,
            _ => command::serve(config, levels).await,
        }
    });
    // Last of all, so that the spans of the stop are there too.
    if let Some(telemetry) = telemetry {
        telemetry.stop();
    }
    ended.exit_code()
}

fn in_runtime(command: impl Future<Output = Ended>) -> Ended {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(command);
            // What is still under way then was given its time; it must not hold up the exit.
            runtime.shutdown_background();
            ended
        }
        Err(error) => {
            tracing::error!(%error, "no runtime");
            Ended::Crashed
        }
    }
}

fn report(faults: &[Fault]) {
    eprintln!("The configuration has {} fault{}:", faults.len(), if faults.len() == 1 { "" } else { "s" });
    for fault in faults {
        eprintln!("  {} {}", fault.setting, fault.problem);
    }
}

/// The command line.
#[must_use]
pub fn cli() -> Command {
    let settings = SETTINGS.iter().map(|setting| {
        let mut help = setting.meaning.to_owned();
        if !setting.default.is_empty() {
            help = format!("{help} [default: {}]", setting.default);
        }
        Arg::new(setting.name)
            .long(setting.flag())
            .env(setting.name)
            .hide_env_values(setting.secret)
            .value_name("VALUE")
            .help(help)
            .help_heading("Settings")
            .global(true)
    });
    let rate = Arg::new("rate").long("rate").default_value("1").help("Multiple of real time, or `max`");
    let cars = Arg::new("cars")
        .long("cars")
        .default_value("48")
        .value_parser(value_parser!(u16).range(1..=1_000))
        .help("How many cars");
    let seed = Arg::new("seed")
        .long("seed")
        .default_value("1")
        .value_parser(value_parser!(u64))
        .help("The same seed gives the same rally");
    Command::new("processor")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Takes GPS positions from a stream into a database, each once")
        .args(settings)
        .subcommand(Command::new("serve").about("Runs the service; this is what happens without a command"))
        .subcommand(
            Command::new("demo")
                .about("Runs the service on a synthetic rally; needs nothing")
                .arg(cars.clone())
                .arg(seed.clone())
                .arg(
                    Arg::new("seconds")
                        .long("seconds")
                        .value_parser(value_parser!(u64).range(1..))
                        .help("Ends by itself after so many seconds"),
                ),
        )
        .subcommand(Command::new("migrate").about("Brings the schema of the database up to date"))
        .subcommand(
            Command::new("replay")
                .about("Sends a recording: into Redis if REDIS_URL is given, else straight into the database")
                .arg(
                    Arg::new("file")
                        .required(true)
                        .value_name("FILE")
                        .help("Records as NDJSON or a GPX track; either may be gzipped"),
                )
                .arg(rate.value_parser(|text: &str| text.parse::<Pace>()))
                .arg(
                    Arg::new("loop")
                        .long("loop")
                        .action(ArgAction::SetTrue)
                        .help("Begins again at its end, until stopped"),
                )
                .arg(
                    Arg::new("shift")
                        .long("shift-to-now")
                        .action(ArgAction::SetTrue)
                        .help("Moves all times so that the recording begins now"),
                )
                .arg(Arg::new("device").long("device").value_name("ID").help("Device of a GPX track")),
        )
        .subcommand(
            Command::new("simulate")
                .about("Sends a synthetic rally into Redis, until stopped")
                .arg(cars)
                .arg(seed),
        )
        .subcommand(Command::new("check-config").about("Checks the configuration and shows what holds"))
        .subcommand(
            Command::new("healthcheck")
                .about("Asks the service on METRICS_PORT whether it is alive; for containers"),
        )
}

fn values(options: &ArgMatches) -> Values {
    let mut values = Values::default();
    for setting in SETTINGS {
        if let Some(value) = options.get_one::<String>(setting.name) {
            values.set(setting, value.clone());
        }
    }
    values
}

fn demo_options(options: &ArgMatches) -> command::DemoOptions {
    let command::SimulateOptions { cars, seed } = simulate_options(options);
    command::DemoOptions { cars, seed, seconds: options.get_one("seconds").copied() }
}

fn simulate_options(options: &ArgMatches) -> command::SimulateOptions {
    command::SimulateOptions {
        cars: *options.get_one("cars").unwrap_or(&48),
        seed: *options.get_one("seed").unwrap_or(&1),
    }
}

fn replay_options(options: &ArgMatches) -> command::ReplayOptions {
    command::ReplayOptions {
        file: options.get_one::<String>("file").cloned().unwrap_or_default().into(),
        pace: *options.get_one("rate").unwrap_or(&Pace::Multiple(1.0)),
        repeat: options.get_flag("loop"),
        shift_to_now: options.get_flag("shift"),
        device: options.get_one("device").cloned(),
    }
}
