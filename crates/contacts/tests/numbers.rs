//! What people write and paste as numbers, what is dialled for it, and when two are the same.

use offhook_config::read_dial_rules;
use offhook_contacts::numbers::{
    Country, Dialled, Dialling, Matching, Typed, comparable, digits, looks_like_number, same,
    world_number,
};

fn country(code: &str) -> Option<Country> {
    Some(code.parse().expect("a country"))
}

#[test]
fn what_is_pasted_becomes_what_is_dialled() {
    for (pasted, number, extension) in [
        ("tel:+49-30-5550142", "+49305550142", None),
        ("tel:+49-30-5550142;ext=12", "+49305550142", Some("12")),
        ("TEL:2001;phone-context=example.com", "2001", None),
        ("tel:%2B49%2030%205550142", "+49305550142", None),
        ("callto:+14085550142", "+14085550142", None),
        ("sip:2001", "2001", None),
        ("+49 (0)30 5550-142", "+49305550142", None),
        ("0049 (0)30 5550142", "0049305550142", None),
        ("+39 (0)6 555 0142", "+39065550142", None),
        ("0039 (0)6 555 0142", "0039065550142", None),
        ("(0)30 5550142", "0305550142", None),
        ("  (408) 555-0142 ext. 12 ", "4085550142", Some("12")),
        ("408.555.0142 x 12", "4085550142", Some("12")),
        ("408 555 0142, Extension: 1204", "4085550142", Some("1204")),
        ("030 5550142 App. 12", "0305550142", Some("12")),
        ("030/5550142 Durchwahl 7", "0305550142", Some("7")),
        ("*81#", "*81#", None),
        ("\u{202a}+49\u{a0}30\u{a0}5550142\u{202c}", "+49305550142", None),
        ("٠٣٠ ٥٥٥٠١٤٢", "0305550142", None),
        ("＋４９ ３０", "+4930", None),
        ("2001", "2001", None),
    ] {
        let read = Dialled::read(pasted).unwrap_or_else(|| panic!("{pasted} is a number"));
        assert_eq!(
            (read.number.as_str(), read.extension.as_deref()),
            (number, extension),
            "{pasted}"
        );
    }
}

#[test]
fn what_is_no_number_is_none() {
    let long = "1".repeat(41);
    for text in [
        "",
        " ",
        "+",
        "()",
        "-",
        "*",
        "alice",
        "alice 2",
        "2001@example.com",
        "ext. 12",
        "12 apples",
        "30 x",
        "1+1",
        "++1",
        "2 x 3 x 4",
        &long,
        "tel:",
        "http://30",
        "30;40@example.com/a b@",
    ] {
        assert!(!looks_like_number(text), "{text}");
        assert_eq!(digits(text), "");
    }
}

#[test]
fn numbers_of_the_world_have_one_form() {
    for (text, from, e164) in [
        ("030 5550142", "DE", "+49305550142"),
        ("0049 30 5550142", "DE", "+49305550142"),
        ("+49 (0)30 5550142", "US", "+49305550142"),
        ("011 49 30 5550142", "US", "+49305550142"),
        ("(201) 555-0123", "us", "+12015550123"),
        ("1 201 555 0123", "US", "+12015550123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("00 39 06 1234 5678", "DE", "+390612345678"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("044 668 18 00", "CH", "+41446681800"),
    ] {
        let read = world_number(text, country(from)).map(|number| number.e164);
        assert_eq!(read.as_deref(), Some(e164), "{text} in {from}");
    }
    let read = world_number("+49 30 5550142 ext. 12", None).expect("a number");
    assert_eq!((read.e164.as_str(), read.extension.as_deref()), ("+49305550142", Some("12")));
    for (text, from) in [("2001", "DE"), ("110", "DE"), ("911", "US"), ("*81#", "US"), ("+4", "DE")]
    {
        assert_eq!(world_number(text, country(from)), None, "{text} in {from}");
    }
    assert_eq!(world_number("030 5550142", None), None, "nobody knows where it is from");
}

#[test]
fn countries_have_two_letters() {
    assert!("de".parse::<Country>().is_ok());
    for bad in ["", "DEU", "XX", "49", "001", "Ä"] {
        assert!(bad.parse::<Country>().is_err(), "{bad}");
    }
}

#[test]
fn two_ways_to_write_a_number_are_one_number() {
    let germany = Matching { country: country("DE"), last: 0 };
    let last = |last| Matching { country: None, last };
    for (one, other, matching, is) in [
        ("+49 30 5550142", "030 5550142", germany, true),
        ("+49 30 5550142", "00493 05550142", germany, true),
        ("+49 30 5550142", "040 5550142", germany, false),
        ("2001", "2001", germany, true),
        ("2001", "92001", germany, false),
        ("2001", "2002", last(4), false),
        ("+49 30 5550142", "0 030 5550142", last(7), true),
        ("+49 30 5550142", "5550142", last(7), true),
        ("+49 30 5550142", "550142", last(7), false),
        ("142", "5550142", last(4), false),
        ("5550142 ext. 12", "5550142 x12", last(4), true),
        ("5550142 ext. 12", "5550142", last(4), false),
        ("*81#", "*82#", last(2), false),
        ("alice", "alice", last(4), false),
    ] {
        assert_eq!(same(one, other, &matching), is, "{one} and {other}");
        assert_eq!(same(other, one, &matching), is, "{other} and {one}");
    }
}

#[test]
fn what_is_typed_is_a_number_an_address_or_a_name() {
    let plain = Dialling { country: country("DE"), ..Dialling::default() };
    let here = Dialling { addresses: true, domain: Some("example.com".into()), ..plain.clone() };
    let abroad = Dialling { domain: None, ..here.clone() };
    let name = |address: Option<&str>| Typed::Name { address: address.map(str::to_owned) };
    let address = |address: &str| Typed::Address(address.to_owned());
    assert_eq!(here.read("  "), Typed::Nothing);
    assert!(matches!(plain.read("030 5550142"), Typed::Number(_)));
    assert!(matches!(here.read("sip:2001"), Typed::Number(_)));
    for (text, switched_off, without_domain, with_domain) in [
        ("alice", name(None), name(None), name(Some("alice@example.com"))),
        ("alice smith", name(None), name(None), name(None)),
        ("bob@lab.example", name(None), address("bob@lab.example"), address("bob@lab.example")),
        (
            "sip:bob@lab.example;user=phone",
            name(None),
            address("bob@lab.example"),
            address("bob@lab.example"),
        ),
        (
            "SIPS:2001@lab.example",
            name(None),
            address("2001@lab.example"),
            address("2001@lab.example"),
        ),
        ("sip:alice", name(None), name(None), address("alice@example.com")),
        ("@lab.example", name(None), name(None), name(None)),
        ("bob@", name(None), name(None), name(None)),
        ("a b@c", name(None), name(None), name(None)),
    ] {
        assert_eq!(plain.read(text), switched_off, "{text}");
        assert_eq!(abroad.read(text), without_domain, "{text}");
        assert_eq!(here.read(text), with_domain, "{text}");
    }
}

#[test]
fn rules_change_what_is_dialled_and_what_is_looked_up() {
    let rules = |text: &str| read_dial_rules(text.as_bytes()).expect("readable");
    let dialling = Dialling {
        application: rules(
            r#"<DialRules><DialRule BeginsWith="+" DigitsToRemove="1" PrefixWith="000"/></DialRules>"#,
        ),
        lookup: rules(
            r#"<DialRules><DialRule BeginsWith="2" NumDigits="4" PrefixWith="+4930555"/></DialRules>"#,
        ),
        ..Dialling::default()
    };
    let Typed::Number(number) = dialling.read("+49 (0)30 5550142 ext. 3") else {
        panic!("a number")
    };
    assert_eq!(dialling.dialled(&number), "00049305550142");
    assert_eq!(number.shown(None), "+49 30 5550142");
    assert_eq!(dialling.looked_up("2001"), ["+49305552001", "2001"]);
    assert_eq!(dialling.looked_up("3001"), ["3001"]);
    assert!(dialling.looked_up("anonymous").is_empty());
}

#[test]
fn persons_are_told_apart_by_one_form_of_a_number() {
    for (text, form) in [
        ("030 5550142", Some("+49305550142")),
        ("+49 30 5550142 ext. 12", Some("+49305550142;ext=12")),
        ("2001", Some("2001")),
        ("*81#", Some("*81#")),
        ("12", None),
        ("anonymous", None),
    ] {
        assert_eq!(comparable(text, country("DE")).as_deref(), form, "{text}");
    }
}
