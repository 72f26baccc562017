// SPDX-License-Identifier: Apache-2.0

//! The sections of types: one list, from which everything is made that goes over all of them.
//!
//! To add a type with a section: its file beside this one, its field in [`Interface`], and a line here.

use super::{Interface, InterfaceType};

/// Names each section's field, its key in users' files, and the types that it belongs to.
macro_rules! sections {
    ($( $field:ident = $key:literal for $($interface_type:ident),+; )*) => {
        impl Interface {
            /// Keys of the sections that are written, with the types that each belongs to.
            pub fn sections(&self) -> Vec<(&'static str, &'static [InterfaceType])> {
                let mut written: Vec<(&'static str, &'static [InterfaceType])> = Vec::new();
                $( if self.$field.is_some() {
                    written.push(($key, &[$(InterfaceType::$interface_type),+]));
                } )*
                written
            }

            /// Name, type and sections alone.
            #[must_use]
            pub fn only_sections(&self) -> Self {
                Self {
                    name: self.name.clone(),
                    interface_type: self.interface_type.clone(),
                    $( $field: self.$field.clone(), )*
                    ..Self::default()
                }
            }

            /// Takes over the sections of another interface.
            pub fn take_sections(&mut self, other: &Self) {
                $( self.$field.clone_from(&other.$field); )*
            }
        }
    };
}

sections! {
    veth = "veth" for Veth, Ethernet;
    bridge = "bridge" for LinuxBridge;
    link_aggregation = "link-aggregation" for Bond;
    vlan = "vlan" for Vlan;
    vrf = "vrf" for Vrf;
    vxlan = "vxlan" for Vxlan;
    mac_vlan = "mac-vlan" for MacVlan;
    mac_vtap = "mac-vtap" for MacVtap;
    ipvlan = "ipvlan" for Ipvlan;
    wireguard = "wireguard" for Wireguard;
    ip_tunnel = "ip-tunnel" for IpTunnel;
    gre = "gre" for Gre;
    gretap = "gretap" for GreTap;
    geneve = "geneve" for Geneve;
    xfrm = "xfrm" for Xfrm;
    macsec = "macsec" for Macsec;
    tun = "tun" for Tun;
    hsr = "hsr" for Hsr;
    infiniband = "infiniband" for Infiniband;
}
