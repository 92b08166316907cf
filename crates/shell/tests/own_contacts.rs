//! Contacts of our own, files of them, and the settings of people.

mod common;

use common::Window;
use common::people::{self, search};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use offhook_model::{
    CardsDone, Command, CommandError, ContactSettings, ContactsWish, DirectoryEntry, ErrorCode,
    LeftOut, NumberKind, SearchStage, Snapshot, SourceKind,
};
use offhook_shell::Place;

const PAULA: &str = "Paula Amsel, Amsel & Sons, plumbing · +49 30 5550 0177";

fn contacts() -> Window {
    Window::new(people::own()).open(Place::Contacts)
}

/// The wishes about people that were sent since the last question.
fn wishes(window: &mut Window) -> Vec<ContactsWish> {
    let sent = std::mem::take(&mut window.harness.state_mut().sent);
    let wish = |command| match command {
        Command::Contacts(wish) => Some(wish),
        _ => None,
    };
    sent.into_iter().filter_map(wish).collect()
}

/// The one contact that was kept.
fn saved(window: &mut Window) -> DirectoryEntry {
    match wishes(window).as_slice() {
        [ContactsWish::Save { entry }] => (**entry).clone(),
        other => panic!("{other:?}"),
    }
}

/// The settings of people that were sent last.
fn settings(window: &mut Window) -> Option<ContactSettings> {
    let sent = std::mem::take(&mut window.harness.state_mut().sent);
    sent.into_iter().rev().find_map(|command| match command {
        Command::SetSettings(settings) => Some(settings.contacts),
        _ => None,
    })
}

fn replace(window: &mut Window, name: &str, text: &str) {
    window.control(name).focus();
    window.harness.run();
    window.key(Modifiers::COMMAND, Key::A);
    window.control(name).type_text(text);
    window.harness.run();
}

fn focused(window: &Window) -> String {
    let nodes = window.harness.root().children_recursive();
    let at = nodes.filter(|node| node.is_focused());
    at.filter_map(|node| node.accesskit_node().label()).collect::<Vec<_>>().concat()
}

fn rows(window: &Window) -> Vec<String> {
    let rows = window.harness.get_all_by_role(egui::Role::ListItem);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

#[test]
fn own_contacts_stand_below_the_contact_list_and_nobody_twice() {
    let mut window = contacts();
    let rows = rows(&window);
    assert_eq!(rows.len(), 8, "{rows:?}");
    assert_eq!(rows[6..], ["office@a-very-long-name-of-a-company.example", PAULA]);
    window.control(PAULA).focus();
    window.harness.run();
    window.press("Call Paula Amsel").press("Mobile · +49 170 5550 0177");
    assert_eq!(window.sent()[0], "Dial { to: Number(\"+4917055500177\"), video: false }");
    // They are a list of their own where nobody else is.
    let mut alone = people::own();
    alone.contacts = std::sync::Arc::default();
    let window = Window::new(alone).open(Place::Contacts);
    assert_eq!(self::rows(&window).len(), 3);
    assert!(!window.says("No contacts yet"));
}

#[test]
fn a_screen_reader_is_told_of_the_dialogs() {
    let mut window = contacts();
    window.press(PAULA);
    insta::assert_snapshot!("own_card", window.tree());
    window.press("Edit contact");
    insta::assert_snapshot!("own_editing", window.tree());
    window.key(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Edit contact"), "Escape leaves it");
    window.press("My contacts").press("Import contacts");
    insta::assert_snapshot!("own_import", window.tree());
}

#[test]
fn a_new_contact_is_kept_by_keys_alone() {
    let mut window = contacts();
    window.press("My contacts").press("New contact");
    assert_eq!(focused(&window), "Name");
    window.control("Name").type_text("  Ben Ode ");
    window.harness.run();
    // The choice of what the number is for, then the number.
    window.key(Modifiers::NONE, Key::Tab).key(Modifiers::NONE, Key::Tab);
    assert_eq!(focused(&window), "Number 1");
    window.control("Number 1").type_text("(030) 5550-199");
    window.harness.run();
    window.key(Modifiers::NONE, Key::Enter);
    let mut wanted = DirectoryEntry::new(SourceKind::Own, "");
    wanted.display_name = Some("Ben Ode".into());
    let number =
        offhook_model::PersonNumber { kind: NumberKind::Work, number: "(030) 5550-199".into() };
    wanted.numbers = vec![number];
    assert_eq!(saved(&mut window), wanted);
    assert!(!window.says("New contact"));
}

#[test]
fn what_is_wrong_is_said_where_it_was_typed() {
    let mut window = contacts();
    window.press("My contacts").press("New contact").press("Save");
    assert!(window.says("Fill in a name, a number or an address."));
    assert_eq!(focused(&window), "Name");
    let fields = [
        ("Number 1", "twelve", "“twelve” is not a number."),
        ("Mail 1", "paula", "“paula” is not a mail address"),
        ("Address for chats", "northwind.example", "is not an address for chats"),
        ("Address for calls", "4217", "“4217” is not an address for calls"),
    ];
    for (field, text, said) in fields {
        window.type_into(field, text).press("Save");
        assert!(window.says(said), "{field}");
        assert_eq!(focused(&window), field);
        replace(&mut window, field, " ");
    }
    assert!(wishes(&mut window).is_empty());
    replace(&mut window, "Mail 1", "paula@amsel.example");
    window.press("Save");
    assert_eq!(saved(&mut window).mail, ["paula@amsel.example"]);
}

#[test]
fn changing_a_contact_leaves_alone_what_has_no_field() {
    let mut window = contacts();
    window.press(PAULA).press("Edit contact").press("Take away Number 1");
    window.press("Add a number");
    assert_eq!(focused(&window), "Number 2");
    window.control("Number 2").type_text("0177");
    window.harness.run();
    window.press("Save");
    let entry = saved(&mut window);
    assert_eq!((entry.id.as_str(), entry.groups.as_slice()), ("own-1", &["House".to_owned()][..]));
    assert_eq!(entry.first_name.as_deref(), Some("Paula"), "the name was not touched");
    let numbers: Vec<_> = entry.numbers.iter().map(|it| it.number.as_str()).collect();
    assert_eq!(numbers, ["+49 170 5550 0177", "0177"]);
    // Another name takes the place of all parts of the old one.
    window.press(PAULA).press("Edit contact");
    replace(&mut window, "Name", "Paula Berg");
    window.press("Save");
    let entry = saved(&mut window);
    let names =
        [entry.display_name.as_deref(), entry.first_name.as_deref(), entry.last_name.as_deref()];
    assert_eq!(names, [Some("Paula Berg"), None, None]);
}

#[test]
fn a_contact_is_removed_after_one_more_question() {
    let mut window = contacts();
    window.press(PAULA).press("Remove from my contacts");
    assert!(wishes(&mut window).is_empty());
    window.press("Really remove?");
    let sent = wishes(&mut window);
    assert!(matches!(sent.as_slice(), [ContactsWish::Forget { id }] if id == "own-1"), "{sent:?}");
    assert!(!window.says("Known from"), "the card is closed");
}

#[test]
fn who_was_found_is_kept_with_what_others_say_of_them() {
    let mut snapshot = search(SearchStage::Done);
    snapshot.own_contacts = people::own().own_contacts;
    let mut window = Window::new(snapshot);
    window.type_into("Search or call", "am").sent();
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    window.key(Modifiers::NONE, Key::Menu).press("Details").press("Keep in my contacts");
    window.sent();
    window.press("Save");
    let entry = saved(&mut window);
    assert_eq!((entry.source, entry.id.as_str()), (SourceKind::Own, ""));
    assert_eq!(entry.display_name.as_deref(), Some("Amélie Østergård"));
    assert_eq!((entry.numbers.len(), entry.uris.len()), (3, 1));
    assert_eq!(entry.location.as_deref(), Some("Aarhus, second floor"));
    assert!(entry.groups.is_empty() && entry.photo.is_none(), "others' order, others' pictures");
    // Who is noted already is changed, also where the contact list found them.
    window.control("Search or call").focus();
    window.harness.run();
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::Menu);
    window.press("Edit contact").sent();
    window.press("Save");
    assert_eq!(saved(&mut window).id, "own-2");
}

#[test]
fn the_card_of_a_contact_says_what_we_noted_of_them() {
    let mut window = contacts();
    window.control("Amira Khalil, Available · Network engineering").focus();
    window.harness.run();
    window.key(Modifiers::NONE, Key::Menu).press("Details");
    assert!(window.says("+49 30 5550 0188") && window.says("4217"));
    assert!(window.says("My contacts, Contact list") && window.says("Edit contact"));
}

/// The whole path of a file, as this system writes it.
fn path(name: &str) -> String {
    if cfg!(windows) { format!("C:\\{name}") } else { format!("/{name}") }
}

#[test]
fn a_file_is_taken_over_and_what_came_of_it_is_said() {
    let mut window = contacts();
    window.press("My contacts").press("Import contacts");
    for (typed, said) in
        [(String::new(), "Say which file."), ("people.vcf".into(), "Write the whole path")]
    {
        replace(&mut window, "File", &typed);
        window.press("Import");
        assert!(window.says(said), "{typed}");
    }
    assert!(wishes(&mut window).is_empty());
    replace(&mut window, "File", &path("people.vcf"));
    window.key(Modifiers::NONE, Key::Enter);
    let sent = wishes(&mut window);
    let wanted = std::path::PathBuf::from(path("people.vcf"));
    assert!(matches!(sent.as_slice(), [ContactsWish::Import { path }] if *path == wanted));
    assert!(window.says("Reading the file…"));
    window.wait(10_000);
    assert!(window.says("Reading the file…"), "a slow disk is no fault");
    window.see(ended(1, false, Ok((2, LeftOut { count: 3, lines: vec![4, 9] }))));
    assert!(window.says("2 contacts were taken over.") && window.says("3 entries were left out"));
    assert!(window.says("Lines of the file: 4, 9 …"));
    window.press("Close");
    assert!(!window.says("Import contacts"));
}

/// The window after a file was read or written.
fn ended(number: u32, written: bool, result: Result<(u64, LeftOut), CommandError>) -> Snapshot {
    let path = path("contacts.vcf").into();
    let done = CardsDone { number, written, path, outcome: result };
    Snapshot { cards: Some(done.into()), ..people::own() }
}

#[test]
fn why_a_file_was_not_read_is_said_and_another_can_be_chosen() {
    // What came of an earlier file is no news.
    let mut window =
        Window::new(ended(1, false, Ok((2, LeftOut::default())))).open(Place::Contacts);
    window.press("My contacts").press("Import contacts");
    window.type_into("File", &path("none.vcf")).press("Import");
    assert!(window.says("Reading the file…"));
    let why = "The contacts cannot be read: permission denied.";
    let error = CommandError::user(ErrorCode::InvalidParams, why, "Choose another file.");
    window.see(ended(2, false, Err(error)));
    assert!(window.says(why) && window.says("Choose another file."));
    window.press("Another file");
    assert_eq!(focused(&window), "File");
    window.press("Import");
    window.see(ended(3, false, Ok((0, LeftOut { count: 1, lines: vec![] }))));
    assert!(window.says("Nobody was taken over.") && window.says("One entry was left out"));
}

#[test]
fn contacts_are_written_with_the_contact_list_where_that_is_wanted() {
    let mut snapshot = people::own();
    let mut settings = (*snapshot.settings).clone();
    settings.chat.downloads = Some(path("").into());
    snapshot.settings = settings.into();
    let mut window = Window::new(snapshot).open(Place::Contacts);
    window.press("My contacts").press("Export contacts").press("The contact list as well");
    window.press("Export");
    let wanted = std::path::PathBuf::from(path("contacts.vcf"));
    let sent = wishes(&mut window);
    let good = |wish: &ContactsWish| matches!(wish, ContactsWish::Export { path, roster: true } if *path == wanted);
    assert!(sent.len() == 1 && good(&sent[0]), "{sent:?}");
    assert!(window.says("Writing the file…"));
    window.see(ended(1, true, Ok((3, LeftOut::default()))));
    assert!(window.says("3 contacts were written.") && window.says(&path("contacts.vcf")));
}

#[test]
fn people_have_their_settings() {
    let mut window = Window::tall(people::own()).open(Place::Settings);
    window.sent();
    assert!(window.says("3 contacts."));
    window.press("Keep on this computer what directories say of people");
    assert_eq!(settings(&mut window).map(|it| it.keep), Some(false));
    window.press("Forget it after: 7 days");
    assert_eq!(settings(&mut window).map(|it| it.keep_days), Some(7));
    window.press("Read address books again");
    let sent = wishes(&mut window);
    assert!(matches!(sent.as_slice(), [ContactsWish::Refresh]), "{sent:?}");
    let label = "Folder or file of vCards (empty: none)";
    window.type_into(label, "cards").press("Read address books again");
    assert!(window.says("Write the whole path") && settings(&mut window).is_none());
    replace(&mut window, label, &path("cards"));
    window.key(Modifiers::NONE, Key::Tab);
    assert_eq!(settings(&mut window).and_then(|it| it.cards), Some(path("cards").into()));
    let mut off = people::own();
    let mut settings = (*off.settings).clone();
    settings.contacts.keep = false;
    off.settings = settings.into();
    window.see(off);
    assert!(!window.says("Forget it after"), "nothing is kept that could be forgotten");
}

#[test]
fn an_address_book_on_a_server_is_set_and_its_password_not_shown() {
    let mut window = Window::tall(people::own()).open(Place::Settings);
    let label = "Address book on a server (CardDAV)";
    window.type_into(label, "http://dav.example.com/").key(Modifiers::NONE, Key::Tab);
    assert!(window.says("must begin with https://") && settings(&mut window).is_none());
    replace(&mut window, label, "https://dav.example.com/");
    window.type_into("User name there", "mary").key(Modifiers::NONE, Key::Tab);
    let book = settings(&mut window).and_then(|it| it.address_book).expect("set");
    assert_eq!((book.url.as_str(), book.user_name.as_str()), ("https://dav.example.com/", "mary"));
    window.type_into("Password there", "s3cret-of-mary");
    assert!(!window.tree().contains("s3cret"));
    window.press("Keep the password of the address book");
    let sent = window.sent().concat();
    assert!(sent.contains("SetAddressBookPassword(Secret(") && !sent.contains("s3cret"), "{sent}");
    window.press("Forget the password of the address book");
    assert!(window.sent().concat().contains("SetAddressBookPassword"));
}

#[test]
fn in_phone_mode_own_contacts_are_in_the_settings() {
    let mut snapshot: Snapshot = people::own();
    snapshot.session.product_mode = Some(offhook_model::ProductMode::PhoneOnly);
    let mut window = Window::tall(snapshot).open(Place::Settings);
    window.press("Export contacts");
    assert!(!window.says("The contact list as well"));
    window.key(Modifiers::NONE, Key::Escape);
    window.press("New contact");
    assert_eq!(focused(&window), "Name");
}

#[test]
fn own_contacts_are_said_in_german_too() {
    let size = egui::vec2(1240.0, 3600.0);
    let mut window = Window::of(people::own(), size, "de").open(Place::Settings);
    let mut trees = window.tree();
    window.press("Neuer Kontakt").press("Speichern");
    assert!(window.says("Tragen Sie einen Namen"));
    trees += &window.tree();
    window.key(Modifiers::NONE, Key::Escape);
    window.press("Kontakte einlesen").press("Einlesen");
    trees += &window.tree();
    assert!(window.says("Sagen Sie, welche Datei."));
    for bad in ["own-", "cards-", "contacts-", "settings-", "person-"] {
        assert!(!trees.contains(&format!("\"{bad}")), "{trees}");
    }
}
