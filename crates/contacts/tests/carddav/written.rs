//! Answers as servers write them.

use offhook_contacts::carddav::{AddressBookCards, BookFault, BookPlan, Kept, fetch};
use offhook_ports::BoxFuture;
use offhook_testkit::{Reply, TestWorld};

pub const HOST: &str = "https://dav.example.com:443";

pub fn plan(address: &str) -> BookPlan {
    BookPlan { address: address.into(), user_name: "ann".into(), password: "hunter2".into() }
}

pub fn run(
    world: &TestWorld,
    address: &str,
    since: Option<&Kept>,
) -> Result<AddressBookCards, BookFault> {
    let (ports, plan) = (world.world(), plan(address));
    let reading: BoxFuture<'_, _> = Box::pin(fetch(&ports, &plan, since));
    world.run(reading)
}

/// A list of resources: address and properties.
pub fn list(resources: &[(&str, &str)]) -> Reply {
    let one = |(href, props): &(&str, &str)| {
        format!(
            "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{props}</D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )
    };
    multistatus(&resources.iter().map(one).collect::<String>())
}

pub fn multistatus(inside: &str) -> Reply {
    let text = format!("<D:multistatus xmlns:D=\"DAV:\">{inside}</D:multistatus>");
    Reply::status(207, text)
}

/// One that is gone, or whose status is this.
pub fn status(href: &str, status: u16) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 {status} X</D:status></D:response>"
    )
}

pub fn etag(href: &str, etag: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>{etag}</D:getetag>\
         </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}

pub fn card(name: &str) -> String {
    format!(
        "<getetag>1</getetag><address-data>BEGIN:VCARD&#13;\nVERSION:3.0&#13;\nFN:{name}&#13;\nEND:VCARD&#13;\n</address-data>"
    )
}

pub const BOOK: &str = "<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>";
pub const SYNCS: &str = "<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>\
    <D:supported-report-set><D:supported-report><D:report><D:sync-collection/></D:report>\
    </D:supported-report></D:supported-report-set>";
pub const FOLDER: &str = "<D:resourcetype><D:collection/></D:resourcetype>";

pub fn propfind(path: &str) -> String {
    format!("PROPFIND {HOST}{path}")
}

pub fn report(path: &str) -> String {
    format!("REPORT {HOST}{path}")
}

pub fn names(found: &AddressBookCards) -> Vec<&str> {
    found.cards.iter().filter_map(|card| card.entry.display_name.as_deref()).collect()
}

/// A server with one address book of this kind at `/b/`, which is what is typed.
pub fn with_book(world: &TestWorld, props: &str) -> String {
    world.web_containing(&propfind("/b/"), "current-user-principal", list(&[("/b/", props)]));
    format!("{HOST}/b/")
}
