use std::fmt;

use redis::{IntoConnectionInfo, RedisConnectionInfo};
use url::Url;

use crate::error::ConnectError;
use crate::socket::Address;

/// Where Redis is, whichever way it is run.
///
/// | URL | means |
/// |---|---|
/// | `redis://[user:password@]host[:port][/database]` | one server |
/// | `redis+sentinel://[user:password@]host[:port][,host[:port]…]/service[/database]` | the primary of a service, as sentinels tell |
/// | `redis+cluster://[user:password@]host[:port][,host[:port]…]` | a cluster, of which a few nodes are named |
///
/// `rediss`, `rediss+sentinel` and `rediss+cluster` are the same with TLS. User and password are those of the
/// servers; the sentinels' own are given as `?sentinel_username=…&sentinel_password=…`. Sentinels listen on port
/// 26379 if no other is named, servers on 6379.
///
/// Shown without its passwords.
#[derive(Clone)]
pub struct RedisUrl {
    pub(crate) kind: Kind,
    /// Of the server, the sentinels or the nodes; one at least.
    pub(crate) addresses: Vec<Address>,
    pub(crate) tls: bool,
    /// As whom, and to which database.
    pub(crate) login: RedisConnectionInfo,
    shown: Box<str>,
}

/// Who is at the addresses.
#[derive(Clone)]
pub(crate) enum Kind {
    /// The server itself.
    Server,
    /// Sentinels that know where it is.
    Sentinels {
        /// Its name.
        service: Box<str>,
        /// As whom to ask them.
        login: RedisConnectionInfo,
    },
    /// Nodes of a cluster.
    Cluster,
}

impl RedisUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`ConnectError::InvalidSetting`] with what is wrong with it, which never repeats the URL.
    pub fn parse(text: &str) -> Result<Self, ConnectError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| invalid("it is no URL"))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(invalid("it must begin with redis:// or rediss://")),
        };
        match kind {
            "" => Self::server(text, rest, tls),
            "sentinel" => Self::sentinels(scheme, rest, tls),
            "cluster" => Self::cluster(scheme, rest, tls),
            _ => Err(invalid("only redis+sentinel:// and redis+cluster:// are more than one server")),
        }
    }

    fn server(text: &str, rest: &str, tls: bool) -> Result<Self, ConnectError> {
        if split(rest).0.rsplit('@').next().is_some_and(|hosts| hosts.contains(',')) {
            return Err(invalid("only redis+sentinel:// and redis+cluster:// are more than one server"));
        }
        let part = Part::parse(text)?;
        let shown = part.shown();
        Ok(Self { kind: Kind::Server, addresses: vec![part.address], tls, login: part.login, shown })
    }

    fn sentinels(scheme: &str, rest: &str, tls: bool) -> Result<Self, ConnectError> {
        let (authority, path, query) = split(rest);
        let mut path = path.trim_matches('/').splitn(2, '/');
        let service = path.next().filter(|service| !service.is_empty());
        let service = service.ok_or_else(|| invalid("the service is missing: …/service"))?;
        let parts = parts(scheme, authority, path.next().unwrap_or_default(), Some(26379))?;
        let mut login = RedisConnectionInfo::default();
        let pairs = Url::parse(&format!("redis://host/?{query}")).map_err(invalid)?;
        for (name, value) in pairs.query_pairs() {
            login = match &*name {
                "sentinel_username" => login.set_username(value),
                "sentinel_password" => login.set_password(value),
                _ => return Err(invalid("only sentinel_username and sentinel_password may follow the ?")),
            };
        }
        let kind = Kind::Sentinels { service: service.into(), login };
        Ok(Self::of(kind, tls, parts, &format!("{scheme}+sentinel"), &format!("/{service}")))
    }

    fn cluster(scheme: &str, rest: &str, tls: bool) -> Result<Self, ConnectError> {
        let (authority, path, query) = split(rest);
        if !path.trim_matches('/').is_empty() || !query.is_empty() {
            return Err(invalid("nothing may follow the nodes: a cluster has one database"));
        }
        let parts = parts(scheme, authority, "", None)?;
        Ok(Self::of(Kind::Cluster, tls, parts, &format!("{scheme}+cluster"), ""))
    }

    fn of(kind: Kind, tls: bool, parts: Vec<Part>, scheme: &str, after: &str) -> Self {
        let hosts: Vec<String> = parts.iter().map(|part| part.address.to_string()).collect();
        let login = parts.first().map(|part| part.login.clone()).unwrap_or_default();
        let secret = if login.password().is_some() { ":***@" } else { "" };
        let user = login.username().unwrap_or_default();
        let database = if login.db() == 0 { String::new() } else { format!("/{}", login.db()) };
        let shown = format!("{scheme}://{user}{secret}{}{after}{database}", hosts.join(",")).into();
        Self { kind, addresses: parts.into_iter().map(|part| part.address).collect(), tls, login, shown }
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

/// A URL of one server: of a list, each is taken apart as if it were alone.
struct Part {
    url: Url,
    address: Address,
    login: RedisConnectionInfo,
}

impl Part {
    fn parse(text: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(text).map_err(invalid)?;
        if url.fragment().is_some() {
            return Err(invalid("TLS without verification (#insecure) is not supported"));
        }
        // The library's messages do not repeat the URL, which may hold a password.
        let info = url.clone().into_connection_info().map_err(invalid)?;
        let (redis::ConnectionAddr::Tcp(host, port) | redis::ConnectionAddr::TcpTls { host, port, .. }) =
            info.addr()
        else {
            return Err(invalid("it names no host"));
        };
        let address = Address { host: host.as_str().into(), port: *port };
        Ok(Self { url, address, login: info.redis_settings().clone() })
    }

    fn shown(&self) -> Box<str> {
        let mut url = self.url.clone();
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return "(hidden)".into();
        }
        url.as_str().into()
    }
}

/// Authority, path and query of what follows `scheme://`.
fn split(rest: &str) -> (&str, &str, &str) {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    (authority, path, query)
}

fn parts(
    scheme: &str,
    authority: &str,
    database: &str,
    usual_port: Option<u16>,
) -> Result<Vec<Part>, ConnectError> {
    let (userinfo, hosts) = match authority.rsplit_once('@') {
        Some((userinfo, hosts)) => (format!("{userinfo}@"), hosts),
        None => (String::new(), authority),
    };
    hosts
        .split(',')
        .map(|host| {
            // A colon in brackets belongs to the address.
            let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
            let port = usual_port.filter(|_| !has_port).map(|port| format!(":{port}")).unwrap_or_default();
            Part::parse(&format!("{scheme}://{userinfo}{host}{port}/{database}"))
        })
        .collect()
}

fn invalid(reason: impl fmt::Display) -> ConnectError {
    ConnectError::invalid("url", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &RedisUrl) -> Vec<String> {
        url.addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_server_is_named_as_ever() {
        let url = RedisUrl::parse("redis://me:s%40cret@host:7000/3").unwrap();
        assert!(matches!(url.kind, Kind::Server) && !url.tls);
        assert_eq!(addresses(&url), ["host:7000"]);
        assert_eq!((url.login.username(), url.login.password()), (Some("me"), Some("s@cret")));
        assert_eq!(url.login.db(), 3);
        assert_eq!(url.to_string(), "redis://me:***@host:7000/3");
        let url = RedisUrl::parse("rediss://[::1]").unwrap();
        assert!(url.tls);
        assert_eq!((addresses(&url), url.login.db()), (vec!["[::1]:6379".to_owned()], 0));
    }

    #[test]
    fn sentinels_have_a_service_a_port_and_a_password_of_their_own() {
        let text = "redis+sentinel://me:secret@one,two:5000,[::1]/cars/2?sentinel_password=hush%26";
        let url = RedisUrl::parse(text).unwrap();
        assert_eq!(addresses(&url), ["one:26379", "two:5000", "[::1]:26379"]);
        assert_eq!((url.login.username(), url.login.password()), (Some("me"), Some("secret")));
        assert_eq!(url.login.db(), 2);
        let Kind::Sentinels { service, login } = &url.kind else { panic!("{url}") };
        assert_eq!((&**service, login.username(), login.password()), ("cars", None, Some("hush&")));
        assert_eq!(url.to_string(), "redis+sentinel://me:***@one:26379,two:5000,[::1]:26379/cars/2");
        assert!(RedisUrl::parse("rediss+sentinel://one/cars").unwrap().tls);
    }

    #[test]
    fn of_a_cluster_a_few_nodes_are_named() {
        let url = RedisUrl::parse("rediss+cluster://:secret@one:7000,two").unwrap();
        assert!(matches!(url.kind, Kind::Cluster) && url.tls);
        assert_eq!(addresses(&url), ["one:7000", "two:6379"]);
        assert_eq!((url.login.username(), url.login.password()), (None, Some("secret")));
        assert_eq!(format!("{url:?}"), "rediss+cluster://:***@one:7000,two:6379");
    }

    #[test]
    fn what_is_wrong_is_said_and_no_secret_is() {
        let wrong = [
            ("localhost", "no URL"),
            ("http://:secret@host", "redis://"),
            ("redis+ring://:secret@host", "redis+sentinel://"),
            ("redis+unix:///tmp/secret", "redis+sentinel://"),
            ("redis://:secret@host/name", "database"),
            ("rediss://:secret@host/#insecure", "verification"),
            ("redis+sentinel://:secret@host", "service"),
            ("redis+sentinel://:secret@host/cars/name", "database"),
            ("redis+sentinel://:secret@host/cars?password=secret", "sentinel_password"),
            ("redis+sentinel://:secret@one,,two/cars", ""),
            ("redis+cluster://:secret@host/1", "one database"),
            ("redis+cluster://:secret@host:port", "port"),
        ];
        for (text, reason) in wrong {
            let error = RedisUrl::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
