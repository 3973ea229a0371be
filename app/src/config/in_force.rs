//! What holds, as it may be shown.

use processor_redis::RedisUrl;
use processor_web::SettingInForce;
use url::Url;

use super::{SETTINGS, Setting, Values};

/// Every setting as it may be shown.
pub(super) fn in_force(values: &Values) -> Vec<SettingInForce> {
    let in_force = |setting: &Setting| {
        let given = values.get(setting.name);
        let holds = given.unwrap_or(setting.default);
        SettingInForce {
            name: setting.name.to_owned(),
            value: if holds.is_empty() { String::new() } else { shown(setting, holds) },
            default: setting.default.to_owned(),
            given: given.is_some(),
            secret: setting.secret,
            meaning: setting.meaning.to_owned(),
        }
    };
    SETTINGS.iter().map(in_force).collect()
}

/// A value as it may be shown: a secret not at all, unless it is a URL, which is shown without its password.
fn shown(setting: &Setting, value: &str) -> String {
    if !setting.secret {
        return value.to_owned();
    }
    if setting.name == "REDIS_URL"
        && let Ok(url) = RedisUrl::parse(value)
    {
        return url.to_string();
    }
    let url = Url::parse(value).ok().filter(|url| setting.name.ends_with("_URL") && !url.cannot_be_a_base());
    let Some(mut url) = url else {
        return "(hidden)".to_owned();
    };
    // A password may be there as well.
    if url.query().is_some() {
        url.set_query(Some("***"));
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "(hidden)".to_owned();
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str) -> &'static Setting {
        SETTINGS.iter().find(|setting| setting.name == name).expect("a setting")
    }

    #[test]
    fn a_password_is_never_shown() {
        let database = setting("DATABASE_URL");
        assert_eq!(shown(database, "postgres://me:secret@host/db"), "postgres://me:***@host/db");
        assert_eq!(shown(database, "me:secret@host"), "(hidden)");
        assert_eq!(shown(database, "postgres://host/db?password=secret"), "postgres://host/db?***");
        let sentinels = "redis+sentinel://:secret@one,two/cars?sentinel_password=secret";
        assert_eq!(shown(setting("REDIS_URL"), sentinels), "redis+sentinel://:***@one:26379,two:26379/cars");
        let token = setting("ADMIN_TOKEN");
        assert_eq!(shown(token, "postgres://not-a-url-but-a-token"), "(hidden)");
    }

    #[test]
    fn every_setting_says_what_holds_and_whether_it_was_given() {
        let given = [("REDIS_URL", "redis://:secret@host"), ("REDIS_BLOCK_MS", "500")];
        let mut values = Values::default();
        for (name, value) in given {
            values.set(setting(name), value.to_owned());
        }
        let in_force = in_force(&values);
        assert_eq!(in_force.len(), SETTINGS.len());
        let find = |name: &str| in_force.iter().find(|setting| setting.name == name).unwrap();
        assert_eq!(find("REDIS_URL").value, "redis://:***@host");
        assert_eq!((find("REDIS_BLOCK_MS").value.as_str(), find("REDIS_BLOCK_MS").given), ("500", true));
        assert_eq!((find("LOG_LEVEL").value.as_str(), find("LOG_LEVEL").given), ("info", false));
        assert_eq!(find("ADMIN_TOKEN").value, "");
    }
}
