// SPDX-License-Identifier: Apache-2.0

use super::*;

const START: Duration = Duration::from_secs(1000);

fn router(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
}

fn server(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number)
}

fn saying(number: u16, lifetime: u16, preference: Preference) -> Advertisement {
    Advertisement {
        router: router(number),
        lifetime,
        preference,
        routes: Vec::new(),
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
    }
}

fn route(third: u16, lifetime: u32, preference: Preference) -> Lasting<Destination> {
    Lasting {
        what: Destination {
            address: Ipv6Addr::new(0x2001, 0xdb8, third, 0, 0, 0, 0, 0),
            prefix_length: 48,
            preference,
        },
        lifetime,
    }
}

fn lasting<T>(what: T, lifetime: u32) -> Lasting<T> {
    Lasting { what, lifetime }
}

fn default_router(heard: &Heard) -> Option<Ipv6Addr> {
    heard.lease("eth0").and_then(|lease| lease.default_router)
}

#[test]
fn the_best_default_router() {
    use Preference::{High, Low, Medium};
    let mut heard = Heard::default();
    heard.take(&saying(1, 100, Medium), START);
    heard.take(&saying(2, 50, Medium), START);
    // The first of equals, whatever the order in which they speak again.
    heard.take(&saying(2, 50, Medium), START);
    assert_eq!(default_router(&heard), Some(router(1)));
    heard.take(&saying(2, 50, High), START);
    assert_eq!(default_router(&heard), Some(router(2)));
    heard.take(&saying(1, 100, Low), START);
    heard.forget(START + Duration::from_secs(50));
    assert_eq!(default_router(&heard), Some(router(1)));
    heard.take(&saying(1, 0, High), START + Duration::from_secs(51));
    assert_eq!(heard, Heard::default());
}

#[test]
fn an_option_about_the_default_route_counts_for_more_than_the_header() {
    let mut heard = Heard::default();
    heard.take(&saying(1, 100, Preference::Medium), START);
    let mut other = saying(2, 0, Preference::Medium);
    let mut about_default = route(0, FOR_EVER, Preference::High);
    about_default.what.prefix_length = 0;
    other.routes.push(about_default.clone());
    heard.take(&other, START);
    assert_eq!(default_router(&heard), Some(router(2)));
    assert!(heard.lease("eth0").unwrap().routes.is_empty());
    other.routes[0].lifetime = 0;
    heard.take(&other, START);
    assert_eq!(default_router(&heard), Some(router(1)));
}

#[test]
fn routes_of_several_routers() {
    let mut heard = Heard::default();
    let mut first = saying(1, 0, Preference::Medium);
    first.routes = vec![
        route(7, 100, Preference::Medium),
        route(8, 100, Preference::Low),
    ];
    heard.take(&first, START);
    let mut second = saying(2, 0, Preference::Medium);
    second.routes = vec![
        route(7, 50, Preference::High),
        route(8, 50, Preference::Low),
    ];
    heard.take(&second, START);
    let gateways = |heard: &Heard| -> Vec<Ipv6Addr> {
        let lease = heard.lease("eth0").unwrap();
        lease.routes.iter().map(|route| route.gateway).collect()
    };
    assert_eq!(gateways(&heard), [router(2), router(1)]);
    assert_eq!(heard.next_end(), Some(START + Duration::from_secs(50)));
    heard.forget(START + Duration::from_secs(50));
    assert_eq!(gateways(&heard), [router(1), router(1)]);
    first.routes[0].lifetime = 0;
    heard.take(&first, START);
    assert_eq!(gateways(&heard).len(), 1);
}

#[test]
fn each_thing_ends_by_itself_and_for_its_own_router() {
    let mut heard = Heard::default();
    let mut first = saying(1, 0, Preference::Medium);
    first.dns_servers = vec![lasting(server(1), 10), lasting(server(2), FOR_EVER)];
    first.dns_search = vec![lasting("a.org".to_string(), 20)];
    heard.take(&first, START);
    let mut second = saying(2, 0, Preference::Medium);
    second.dns_servers = vec![lasting(server(1), 30)];
    heard.take(&second, START);
    let servers = |heard: &Heard| heard.lease("eth0").unwrap().dns_servers;
    assert_eq!(servers(&heard), [server(1), server(2)]);
    heard.forget(START + Duration::from_secs(20));
    // Still advertised by the second.
    assert_eq!(servers(&heard), [server(2), server(1)]);
    assert!(heard.lease("eth0").unwrap().dns_search.is_empty());
    heard.forget(START + Duration::from_secs(30));
    assert_eq!((servers(&heard), heard.next_end()), (vec![server(2)], None));
    first.dns_servers = vec![lasting(server(2), 0)];
    first.dns_search.clear();
    heard.take(&first, START + Duration::from_secs(31));
    assert_eq!(heard, Heard::default());
}

#[test]
fn nobody_can_fill_the_memory() {
    let mut heard = Heard::default();
    for number in 1..=200 {
        let mut flood = saying(number, 1800, Preference::Medium);
        flood.routes = (0..200)
            .map(|third| route(number * 200 + third, 60, Preference::Low))
            .collect();
        flood.dns_servers = (0..200)
            .map(|last| lasting(server(number * 200 + last), 60))
            .collect();
        flood.dns_search = (0..200)
            .map(|last| lasting(format!("a{number}-{last}"), 60))
            .collect();
        heard.take(&flood, START);
    }
    assert_eq!(heard.routers.len(), MOST_ROUTERS);
    let lease = heard.lease("eth0").unwrap();
    let counts = (
        lease.routes.len(),
        lease.dns_servers.len(),
        lease.dns_search.len(),
    );
    assert_eq!(counts, (MOST_ROUTES, MOST_SERVERS, MOST_DOMAINS));
    for router in &heard.routers {
        assert!(router.routes.len() <= MOST_ROUTES && router.dns_servers.len() <= MOST_SERVERS);
    }
}
