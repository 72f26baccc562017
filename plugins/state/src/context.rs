// SPDX-License-Identifier: Apache-2.0

//! Look-ups that every step of a decision needs.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::ip::{Ipv4, Ipv6};
use nipart_schemas::lease::{
    AdvertisedLease, Dhcpv4Lease, Dhcpv6Lease, Lease, LeaseKey, LeaseProtocol,
};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::overlay::Overlay;
use nipart_schemas::route::{Route, RouteKey};
use nipart_schemas::route_rule::{RouteRule, with_priorities};

/// More links than this are never stacked: the kernel itself allows eight (`MAX_NEST_DEV`).
pub(crate) const MAX_STACK: usize = 16;

/// A decision's input, indexed by interface name.
pub(crate) struct Context<'a> {
    pub(crate) desired: &'a NetworkState,
    pub(crate) observed: &'a NetworkState,
    pub(crate) saved: &'a NetworkState,
    pub(crate) wanted: HashMap<&'a str, &'a Interface>,
    pub(crate) present: HashMap<&'a str, &'a Interface>,
    pub(crate) remembered: HashMap<&'a str, &'a Interface>,
    leases: HashMap<(&'a str, LeaseProtocol), &'a Lease>,
    /// Interfaces that come into being as the second end of a wanted veth pair, with the first.
    pub(crate) peers: HashMap<&'a str, &'a str>,
    /// Present links that the wanted state takes away, with those that the kernel takes away with them.
    pub(crate) doomed: HashSet<&'a str>,
    pub(crate) missing: MissingInterfaces,
    without_lease: &'a [LeaseKey],
    /// Whether a card gets more virtual functions than it has.
    gains_functions: bool,
    /// The `ipv4` sections of interfaces of which the wanted state says something about IPv4, and whose DHCP is on.
    with_dhcp: HashMap<&'a str, Ipv4>,
    /// The same of `ipv6`.
    with_dhcpv6: HashMap<&'a str, Ipv6>,
    /// The same of those that listen to routers.
    with_routers: HashMap<&'a str, Ipv6>,
    pub(crate) explain: bool,
    /// The wanted rules, each with a priority.
    pub(crate) rules: Vec<RouteRule>,
    /// The wanted routes, when they name VRFs.
    config: Option<Vec<Route>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(request: &'a DecisionRequest) -> Result<Self, NipartError> {
        let observed = request.observed.read()?;
        let wanted = request.desired.by_name();
        let present = observed.by_name();
        let peers = request
            .desired
            .interfaces
            .iter()
            .filter(|interface| interface.wanted_state() == InterfaceState::Up)
            .filter_map(|interface| Some((interface.veth_peer()?, interface.name.as_str())))
            .filter(|(peer, name)| match present.get(name) {
                None => true,
                // A peer that isn't shown lives in another network namespace, and stays there.
                Some(present) => present.veth_peer().is_some_and(|other| other != *peer),
            })
            .collect();
        let gains_functions = request.desired.interfaces.iter().any(|interface| {
            let total = |of: &Interface| of.sr_iov()?.total_vfs;
            let before = present.get(interface.name.as_str()).copied();
            total(interface) > before.and_then(total)
        });
        let mut context = Self {
            desired: &request.desired,
            observed,
            saved: &request.saved,
            wanted,
            present,
            remembered: request.saved.by_name(),
            leases: request
                .leases
                .iter()
                .map(|lease| ((lease.interface(), lease.protocol()), lease))
                .collect(),
            peers,
            doomed: HashSet::new(),
            missing: request.missing,
            without_lease: &request.without_lease,
            gains_functions,
            with_dhcp: HashMap::new(),
            with_dhcpv6: HashMap::new(),
            with_routers: HashMap::new(),
            explain: request.explain,
            rules: with_priorities(request.desired.rules(), observed.rules()),
            config: None,
        };
        context.with_dhcp = context.find_sections(
            |interface| interface.ipv4.as_ref(),
            |wanted, all| wanted.enabled != Some(false) && all.dhcp == Some(true),
        );
        context.with_dhcpv6 = context.find_sections(
            |interface| interface.ipv6.as_ref(),
            |wanted, all| wanted.enabled != Some(false) && all.dhcp == Some(true),
        );
        context.with_routers = context.find_sections(
            |interface| interface.ipv6.as_ref(),
            |wanted, all| wanted.enabled != Some(false) && all.listens_to_routers(),
        );
        context.doomed = context.find_doomed();
        context.config = context.resolve_vrf_names();
        Ok(context)
    }

    /// The wanted routes, with the tables of their VRFs.
    pub(crate) fn config_routes(&self) -> &[Route] {
        self.config
            .as_deref()
            .unwrap_or(self.desired.config_routes())
    }

    /// The wanted routes with the tables of the VRFs that they name; none when they name none.
    fn resolve_vrf_names(&self) -> Option<Vec<Route>> {
        let routes = self.desired.config_routes();
        let resolved = |route: &Route| {
            let name = route.vrf_name.as_deref();
            let table = name.and_then(|name| self.table_of(name));
            match table.filter(|_| route.table_id.is_none()) {
                Some(table) => Route {
                    vrf_name: None,
                    table_id: Some(table),
                    ..route.clone()
                },
                None => route.clone(),
            }
        };
        let mut named = routes.iter().filter(|route| route.vrf_name.is_some());
        named.next()?;
        Some(routes.iter().map(resolved).collect())
    }

    /// The table that a VRF has, or is to have.
    pub(crate) fn table_of(&self, vrf: &str) -> Option<u32> {
        self.wanted_table(vrf).or(self.present_table(vrf))
    }

    fn wanted_table(&self, vrf: &str) -> Option<u32> {
        self.wanted_up(vrf)?.vrf.as_ref()?.route_table_id
    }

    fn present_table(&self, vrf: &str) -> Option<u32> {
        self.present.get(vrf)?.vrf.as_ref()?.route_table_id
    }

    /// The table that a VRF leaves, with the one that it gets instead: none when it goes itself.
    pub(crate) fn change_of_table(&self, vrf: &str) -> Option<(u32, Option<u32>)> {
        let old = self.present_table(vrf)?;
        if self.doomed.contains(vrf) {
            return Some((old, None));
        }
        let new = self.wanted_table(vrf)?;
        (new != old).then_some((old, Some(new)))
    }

    /// The `ipv4` section of an interface that asks for leases, with what is remembered where nothing is written; none
    /// when its DHCP is off or the wanted state doesn't speak of its IPv4.
    pub(crate) fn with_dhcp(&self, name: &str) -> Option<&Ipv4> {
        self.with_dhcp.get(name)
    }

    /// The same, when the wanted state speaks of the lease: nothing follows from it for a link of which only addresses are
    /// named.
    pub(crate) fn using_lease(&self, name: &str) -> Option<&Ipv4> {
        let wanted = self.wanted.get(name)?.ipv4.as_ref()?;
        self.with_dhcp(name)
            .filter(|_| wanted.dhcp == Some(true) || wanted.uses_leases())
    }

    /// The same of `ipv6`.
    pub(crate) fn with_dhcpv6(&self, name: &str) -> Option<&Ipv6> {
        self.with_dhcpv6.get(name)
    }

    /// The `ipv6` section of an interface that listens to routers, likewise.
    pub(crate) fn with_routers(&self, name: &str) -> Option<&Ipv6> {
        self.with_routers.get(name)
    }

    /// The same, when the wanted state speaks of what routers advertise.
    pub(crate) fn using_routers(&self, name: &str) -> Option<&Ipv6> {
        let wanted = self.wanted.get(name)?.ipv6.as_ref()?;
        self.with_routers(name)
            .filter(|_| wanted.listens_to_routers() || wanted.uses_leases())
    }

    /// The same of `ipv6`.
    pub(crate) fn using_lease_ipv6(&self, name: &str) -> Option<&Ipv6> {
        let wanted = self.wanted.get(name)?.ipv6.as_ref()?;
        self.with_dhcpv6(name)
            .filter(|_| wanted.dhcp == Some(true) || wanted.uses_leases())
    }

    /// Whether this lease of an interface is known to be gone.
    pub(crate) fn is_without_lease(&self, name: &str, protocol: LeaseProtocol) -> bool {
        let mut gone = self.without_lease.iter();
        gone.any(|key| key.interface == name && key.protocol == protocol)
    }

    /// What a DHCP server has lent to an interface, or routers have told it.
    pub(crate) fn lease(&self, name: &str, protocol: LeaseProtocol) -> Option<&'a Lease> {
        self.leases.get(&(name, protocol)).copied()
    }

    /// What a DHCPv4 server has lent to it.
    pub(crate) fn lease_ipv4(&self, name: &str) -> Option<&'a Dhcpv4Lease> {
        match self.lease(name, LeaseProtocol::Dhcpv4)? {
            Lease::Ipv4(lease) => Some(lease),
            _ => None,
        }
    }

    /// What a DHCPv6 server has lent to it.
    pub(crate) fn lease_ipv6(&self, name: &str) -> Option<&'a Dhcpv6Lease> {
        match self.lease(name, LeaseProtocol::Dhcpv6)? {
            Lease::Ipv6(lease) => Some(lease),
            _ => None,
        }
    }

    /// What routers have told it.
    pub(crate) fn advertised(&self, name: &str) -> Option<&'a AdvertisedLease> {
        match self.lease(name, LeaseProtocol::RouterAdvertisement)? {
            Lease::RouterAdvertisement(lease) => Some(lease),
            _ => None,
        }
    }

    /// Leases that are known to be gone.
    pub(crate) fn lost_leases(&self) -> &'a [LeaseKey] {
        self.without_lease
    }

    fn find_sections<S: Overlay + Clone>(
        &self,
        section_of: fn(&Interface) -> Option<&S>,
        is_on: fn(&S, &S) -> bool,
    ) -> HashMap<&'a str, S> {
        let section = |interface: &'a Interface| {
            let wanted = section_of(interface)?;
            let mut section = wanted.clone();
            let remembered = self.remembered.get(interface.name.as_str());
            if let Some(remembered) = remembered.and_then(|known| section_of(known)) {
                section.fill_from(remembered);
            }
            is_on(wanted, &section).then_some((interface.name.as_str(), section))
        };
        let wanted = self.desired.interfaces.iter();
        let up = wanted.filter(|interface| interface.wanted_state() == InterfaceState::Up);
        up.filter_map(section).collect()
    }

    /// The routes that were saved: ours, whoever the kernel says added them.
    pub(crate) fn saved_route_keys(&self) -> HashSet<RouteKey> {
        self.saved.config_routes().iter().map(Route::key).collect()
    }

    /// The interface, when it is wanted up.
    pub(crate) fn wanted_up(&self, name: &str) -> Option<&'a Interface> {
        let wanted = self.wanted.get(name).copied();
        wanted.filter(|interface| interface.wanted_state() == InterfaceState::Up)
    }

    /// The type that an interface has or is to get.
    pub(crate) fn type_of(&self, name: &str) -> Option<&'a InterfaceType> {
        let of = |interface: &&'a Interface| interface.interface_type.as_ref();
        let present = self.present.get(name).and_then(of);
        if present.is_none() && self.peers.contains_key(name) {
            return Some(&InterfaceType::Veth);
        }
        present.or_else(|| self.wanted.get(name).and_then(of))
    }

    /// Whether the interface is virtual, or is to be; the other end of a new pair is.
    pub(crate) fn is_virtual(&self, name: &str) -> bool {
        match self.present.get(name) {
            Some(present) if present.interface_type.is_some() => present.is_virtual(),
            _ if self.peers.contains_key(name) => true,
            _ => {
                let wanted = self.wanted.get(name);
                wanted.is_some_and(|wanted| wanted.is_virtual())
            }
        }
    }

    /// Whether a list of ports names the link: attached ports are set up.
    pub(crate) fn is_set_up_as_port(&self, name: &str) -> bool {
        let mut wanted = self.desired.interfaces.iter();
        wanted.any(|controller| {
            controller.wanted_state() == InterfaceState::Up
                && controller
                    .port_names()
                    .is_some_and(|ports| ports.contains(&name))
        })
    }

    /// Whether the addresses of its ports belong to this controller; `""` is none.
    pub(crate) fn takes_addresses_of_ports(&self, controller: &str) -> bool {
        !controller.is_empty() && !self.leaves_addresses_to_ports(controller)
    }

    /// Whether ports of this controller have addresses of their own.
    pub(crate) fn leaves_addresses_to_ports(&self, controller: &str) -> bool {
        self.type_of(controller)
            .is_some_and(InterfaceType::leaves_addresses_to_ports)
    }

    /// Whether the interface is there when the plan has been executed.
    pub(crate) fn will_exist(&self, name: &str) -> bool {
        self.exists_after(name, MAX_STACK)
    }

    fn exists_after(&self, name: &str, left: usize) -> bool {
        if self.present.contains_key(name) {
            return !self.doomed.contains(name);
        }
        if self.peers.contains_key(name) || self.comes_as_function(name) {
            return true;
        }
        self.wanted_up(name).is_some_and(|interface| {
            interface.is_virtual()
                && interface
                    .base_interface()
                    // What is stacked too deep is refused for that.
                    .is_none_or(|base| left == 0 || self.exists_after(base, left - 1))
        })
    }

    /// Whether it can only be the interface of a virtual function that the same state makes: a driver brings it, in its own
    /// time. At start it is awaited as any other card.
    pub(crate) fn comes_as_function(&self, name: &str) -> bool {
        let is_card = |interface: &Interface| {
            matches!(
                interface.interface_type,
                None | Some(InterfaceType::Ethernet)
            ) && interface.sections().is_empty()
        };
        self.gains_functions
            && self.missing == MissingInterfaces::Refuse
            && !self.present.contains_key(name)
            && self.wanted_up(name).is_some_and(is_card)
    }

    /// Whether it is wanted down, is virtual and is down already: then it stays. So what is shown of a link that
    /// somebody else keeps down can be applied without deleting it.
    pub(crate) fn is_left_down(&self, interface: &Interface) -> bool {
        let name = interface.name.as_str();
        interface.wanted_state() == InterfaceState::Down
            && self.is_virtual(name)
            && self
                .present
                .get(name)
                .is_some_and(|present| present.wanted_state() == InterfaceState::Down)
    }

    /// Whether `down` or `absent` deletes the link itself: virtual ones, but of a veth whose other end lives in
    /// another network namespace only one that Nipart made.
    pub(crate) fn is_removed(&self, interface: &Interface) -> bool {
        let name = interface.name.as_str();
        let Some(present) = self.present.get(name) else {
            return false;
        };
        if self.is_left_down(interface) {
            return false;
        }
        if self.type_of(name) == Some(&InterfaceType::Veth) && present.veth_peer().is_none() {
            return self
                .remembered
                .get(name)
                .is_some_and(|remembered| remembered.veth_peer().is_some());
        }
        self.is_virtual(name)
    }

    fn find_doomed(&self) -> HashSet<&'a str> {
        let mut doomed: HashSet<&str> = HashSet::new();
        for interface in &self.desired.interfaces {
            match interface.wanted_state() {
                InterfaceState::Absent | InterfaceState::Down if self.is_removed(interface) => {
                    doomed.insert(&interface.name);
                }
                InterfaceState::Up => doomed.extend(self.abandoned_peer(interface)),
                _ => {}
            }
        }
        loop {
            let more: Vec<&str> = self
                .present
                .values()
                .filter(|present| !doomed.is_empty() && !doomed.contains(present.name.as_str()))
                .filter(|present| self.leans_on(present).any(|needed| doomed.contains(needed)))
                .map(|present| present.name.as_str())
                .collect();
            if more.is_empty() {
                return doomed;
            }
            doomed.extend(more);
        }
    }

    /// The other end of a pair that is created anew with another peer, unless it gets another peer itself.
    fn abandoned_peer(&self, interface: &Interface) -> Option<&'a str> {
        let old = self.present.get(interface.name.as_str())?.veth_peer()?;
        let new = interface.veth_peer()?;
        let finds_another = self
            .wanted_up(old)
            .and_then(Interface::veth_peer)
            .is_some_and(|peer| peer != interface.name);
        (old != new && !finds_another).then_some(old)
    }

    /// The links without which a present link can't live on: what it is stacked upon, and its veth peer.
    fn leans_on(&self, present: &'a Interface) -> impl Iterator<Item = &'a str> {
        let wanted = self.wanted_up(&present.name);
        let base = wanted
            .and_then(Interface::base_interface)
            .or_else(|| present.base_interface());
        let peer = wanted
            .and_then(Interface::veth_peer)
            .or_else(|| present.veth_peer());
        base.into_iter().chain(peer)
    }
}
