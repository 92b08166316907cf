//! A phone outside: what its requests look like on the way through an edge (reference edge.md
//! section 4).

mod support;

use offhook_model::{DialString, Fault, Link};
use offhook_ports::{PhoneAccount, SipServer};
use support::{SDP, Solo, cucm_account, first_line, header, headers, response, server};

const HOP: &str = "<sip:edge1.example.test:5061;transport=tls;lr>";
const INNER: &str = "<sip:198.51.100.7:5061;transport=tls;zone-id=3;directed;lr>";

fn outside() -> PhoneAccount {
    let edge = |host: &str| SipServer { host: host.into(), port: 5061, link: Link::Tls };
    PhoneAccount {
        servers: vec![edge("edge1.example.test"), edge("edge2.example.test")],
        routes: vec![INNER.into()],
        registrar: Some("cucm1.example.test".into()),
        encryption: offhook_ports::MediaEncryption::Required,
        ..cucm_account()
    }
}

fn registered(more: &str) -> Solo {
    let mut solo = Solo::new(outside());
    solo.start();
    solo.open();
    let request = solo.take("REGISTER ");
    let contact = header(&request, "Contact").expect("contact");
    let lines = format!("Contact: {contact};expires=120\r\n{more}");
    solo.feed(&response(&request, "200 OK", "r", &lines, ""));
    assert!(solo.ua.is_registered());
    solo.events.clear();
    solo
}

fn invite(solo: &mut Solo) -> String {
    solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    solo.take("INVITE ")
}

#[test]
fn register_names_the_inner_call_manager_and_the_way_to_it() {
    let mut solo = Solo::new(outside());
    solo.start();
    assert_eq!(solo.opened[0].host, "edge1.example.test");
    solo.open();
    let register = solo.take("REGISTER sip:cucm1.example.test SIP/2.0");
    assert_eq!(headers(&register, "Route"), [HOP, INNER]);
    assert_eq!(header(&register, "To"), Some("<sip:2001@cucm1.example.test>"));
    assert!(header(&register, "From").expect("from").starts_with("<sip:2001@cucm1.example.test>;"));
    let supported = header(&register, "Supported").expect("supported");
    assert!(supported.split(',').any(|tag| tag.trim() == "path"), "{supported}");
    assert!(header(&register, "Contact").expect("contact").contains("transport=tls"));
}

#[test]
fn the_way_follows_the_edge_in_use() {
    let mut solo = Solo::new(outside());
    solo.start();
    solo.ua.flow_failed(solo.flow, Fault::PortRefused, solo.now);
    solo.drain();
    solo.advance(support::secs(60));
    assert_eq!(solo.opened.last().expect("opened").host, "edge2.example.test");
    solo.open();
    let register = solo.take("REGISTER sip:cucm1.example.test SIP/2.0");
    assert_eq!(headers(&register, "Route"), [&HOP.replace("edge1", "edge2"), INNER]);
}

#[test]
fn a_call_takes_the_same_way() {
    let mut solo = registered("");
    let invite = invite(&mut solo);
    assert_eq!(first_line(&invite), "INVITE sip:2002@cucm1.example.test;user=phone SIP/2.0");
    assert_eq!(headers(&invite, "Route"), [HOP, INNER]);
}

#[test]
fn a_service_route_takes_the_place_of_what_was_known() {
    let mut solo =
        registered("Service-Route: <sip:192.0.2.9;lr>,\r\n <sip:cucm1.example.test;lr>\r\n");
    let call = invite(&mut solo);
    assert_eq!(
        headers(&call, "Route"),
        [HOP, "<sip:192.0.2.9;lr>", "<sip:cucm1.example.test;lr>"],
        "the edge itself stays first"
    );
}

#[test]
fn a_service_route_that_begins_with_the_edge_names_it_once() {
    let mut solo = registered("Service-Route: <sip:EDGE1.example.test:5061;transport=tls;lr>\r\n");
    let call = invite(&mut solo);
    assert_eq!(headers(&call, "Route"), ["<sip:EDGE1.example.test:5061;transport=tls;lr>"]);
}

#[test]
fn refreshes_and_the_good_bye_go_the_known_way() {
    let mut solo = registered("Service-Route: <sip:192.0.2.9;lr>\r\n");
    solo.advance(support::secs(116));
    let refresh = solo.take("REGISTER ");
    assert_eq!(headers(&refresh, "Route"), [HOP, INNER]);
    let contact = header(&refresh, "Contact").expect("contact");
    let lines = format!("Contact: {contact};expires=120\r\n");
    solo.feed(&response(&refresh, "200 OK", "r", &lines, ""));
    solo.ua.stop(solo.now);
    solo.drain();
    assert_eq!(headers(&solo.take("REGISTER "), "Route"), [HOP, INNER]);
}

#[test]
fn a_dialog_follows_its_record_route() {
    let mut solo = registered("");
    let call = invite(&mut solo);
    let route = "<sip:proxy-call-id=7@198.51.100.7:5061;transport=tls;lr>";
    let lines = format!(
        "Contact: <sip:2002@192.0.2.5:5060;transport=tcp>\r\nRecord-Route: {route}, {HOP}\r\n"
    );
    solo.feed(&response(&call, "200 OK", "peer", &lines, SDP));
    let ack = solo.take("ACK sip:2002@192.0.2.5:5060;transport=tcp SIP/2.0");
    assert_eq!(headers(&ack, "Route"), [HOP, route], "in reverse (RFC 3261 section 12.1.2)");
}

#[test]
fn straight_to_the_call_manager_there_is_no_route() {
    let mut solo =
        Solo::new(PhoneAccount { servers: vec![server(9, Link::Tcp)], ..cucm_account() });
    solo.start();
    solo.open();
    let register = solo.take("REGISTER sip:10.0.0.9 SIP/2.0");
    assert!(headers(&register, "Route").is_empty());
    assert!(!header(&register, "Supported").expect("supported").contains("path"));
}
