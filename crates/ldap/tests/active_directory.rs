//! The whole way against Samba as a domain controller of Active Directory, with its global
//! catalogue and its name server, in a network namespace of its own because its ports are fixed.
//! Needs `samba`, `samba-tool` (samba-ad-dc), `unshare` and `ip`; without them the test says so and
//! passes. With `kinit` (krb5-user) it also asks with a ticket.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use offhook_config::Layers;
use offhook_contacts::ldap::{Given, LdapPlan, LdapReport, Standing, Wish, members, search};
use offhook_ldap::Directories;
use offhook_model::{Layer, Setting, Source, TrustQuestion};
use offhook_net::{Net, NetOptions};
use offhook_ports::{
    AskTrust, BoxFuture, Dns, Ldap, LdapAnswer, LdapFailure, LdapRequest, Srv, Target,
};
use support::exists;

/// Says in the environment of a test that it runs in its namespace already.
const INSIDE: &str = "OFFHOOK_TEST_INSIDE_NAMESPACE";
/// The domain controller's address in its namespace.
const OWN: &str = "10.53.0.1";
/// The administrator of the domain that the test makes up.
const ADMIN: (&str, &str) = ("administrator@example.test", "Passw0rd.x");

/// A group whose name has to be written otherwise in filters.
const GROUP: &str = "R&D (all)";

#[test]
fn a_domain_controller_is_understood() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let folder = std::env::var_os(INSIDE).expect("a folder");
        return runtime.expect("a runtime").block_on(inside(Path::new(&folder)));
    }
    // Samba publishes no loopback address, so its own is another one of this namespace's.
    let up = format!("ip link set lo up && ip address add {OWN}/32 dev lo && exec \"$@\"");
    let namespace = ["--net", "sh", "-c", up.as_str(), "sh"];
    let allowed = || {
        let tried = Command::new("unshare").args(namespace).arg("true").output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !["samba", "samba-tool", "unshare", "ip"].into_iter().all(exists)
        || !Path::new("/usr/share/samba/setup/ad-schema").exists()
        || !allowed()
    {
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED: no Samba, or no namespace for it");
        return;
    }
    let folder = tempfile::Builder::new().prefix("offhook-samba-").tempdir().expect("a folder");
    let mut command = Command::new("unshare");
    command.args(namespace).arg(std::env::current_exe().expect("a test has a path"));
    command.args(["a_domain_controller_is_understood", "--exact", "--nocapture"]);
    // The system's Kerberos library reads these, once.
    command.env("KRB5_CONFIG", folder.path().join("krb5.conf"));
    command.env("KRB5CCNAME", folder.path().join("tickets"));
    let output = command.env(INSIDE, folder.path()).output().expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        // It has children of its own, which end with it when it is asked to.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

async fn start(folder: &Path) -> Controller {
    let log = || std::fs::File::create(folder.join("log")).expect("a file");
    let made = Command::new("samba-tool")
        .args(["domain", "provision", "--realm=EXAMPLE.TEST", "--domain=EXAMPLE"])
        .args(["--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--host-name=dc1"])
        .arg(format!("--host-ip={OWN}"))
        .arg("--option=interfaces=lo")
        .args(["--option=bind interfaces only=yes", "--option=vfs objects="])
        .arg(format!("--adminpass={}", ADMIN.1))
        .arg(format!("--targetdir={}", folder.display()))
        .output()
        .expect("samba-tool runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = folder.join("etc/smb.conf");
    for (user, first, last) in [("jdoe", "John", "Doe"), ("zmueller", "Zoë", "Müller")] {
        let made = Command::new("samba-tool")
            .args(["user", "create", user, "Passw0rd.y"])
            .args([format!("--given-name={first}"), format!("--surname={last}")])
            .arg(format!("--mail-address={user}@example.test"))
            .arg("--telephone-number=+14085550001")
            .arg("-s")
            .arg(&config)
            .output()
            .expect("samba-tool runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    // What a domain controller does for itself while it runs.
    let named = Command::new("samba-tool")
        .args(["spn", "add", "ldap/dc1.example.test", "DC1$", "-s"])
        .arg(&config)
        .output()
        .expect("samba-tool runs");
    assert!(named.status.success(), "{}", String::from_utf8_lossy(&named.stderr));
    for words in
        [["group", "add", GROUP].as_slice(), &["group", "addmembers", GROUP, "jdoe,zmueller"]]
    {
        let made = Command::new("samba-tool").args(words).arg("-s").arg(&config).output();
        let made = made.expect("samba-tool runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let samba = Command::new("/usr/sbin/samba")
        .args(["-i", "-M", "single", "-s"])
        .arg(&config)
        .arg("--option=server services=ldap, cldap, kdc, dns")
        // As Active Directory: in clear only what the ticket's key protects, under TLS any ticket.
        .arg("--option=ldap server require strong auth=allow_sasl_over_tls")
        .stdin(Stdio::null())
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("samba starts");
    let controller = Controller(samba);
    for port in [389, 636, 3268, 3269, 53] {
        let mut tries = 0;
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tries += 1;
            assert!(tries < 600, "samba does not listen on {port}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    controller
}

fn given(password: &str) -> Given {
    Given {
        dns_domain: Some("example.test".into()),
        im_domain: Some("example.test".into()),
        file_password: Some(password.into()),
        ..Given::default()
    }
}

fn plan(settings: &[(&str, &str)], given: &Given) -> LdapPlan {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: Some("Directory".into()),
        value: (*value).to_owned(),
        line: None,
    };
    let layer = Layer {
        source: Source::GlobalFile,
        origin: "jabber-config.xml".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    };
    LdapPlan::read(&Layers::new([layer]), given).expect("a plan")
}

/// Says yes to every certificate.
struct Yes;

impl AskTrust for Yes {
    fn ask(&self, _: TrustQuestion) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }
}

/// A directory in which groups do not say who is in them.
struct HidesMembers<'a>(&'a Directories);

impl Ldap for HidesMembers<'_> {
    fn search(&self, mut request: LdapRequest) -> BoxFuture<'_, Result<LdapAnswer, LdapFailure>> {
        request.attributes.retain(|name| !["member", "uniqueMember"].contains(&name.as_str()));
        self.0.search(request)
    }

    fn forget(&self) {}
}

async fn inside(folder: &Path) {
    let _controller = start(&folder.join("domain")).await;
    let name_servers = vec![([127, 0, 0, 1], 53).into()];
    let net = Net::new(NetOptions { name_servers, ..NetOptions::default() }).expect("a network");
    let directories = Directories::new(Arc::clone(&net));
    let ask = async |plan: &LdapPlan, text: &str| {
        let wish = Wish::Typed(text.into());
        search(&directories, plan, &Standing::default(), &wish, 50).await
    };
    let names = |report: &LdapReport| {
        let names = report.people.iter().filter_map(|person| person.display_name.clone());
        names.collect::<Vec<_>>()
    };
    let causes = |report: &LdapReport| {
        report.problems.iter().map(|problem| problem.cause.clone()).collect::<Vec<_>>()
    };
    let account = [("ConnectionUsername", ADMIN.0), ("ConnectionPassword", "")];
    let named = [&account[..], &[("PrimaryServerName", "127.0.0.1")]].concat();
    let with = |more: &[(&str, &str)]| plan(&[&named[..], more].concat(), &given(ADMIN.1));

    // In clear it lets nobody in, and of its certificate nobody has heard.
    let closed = "The directory 127.0.0.1 does not let us in this way.";
    let report = ask(&with(&[]), "doe").await;
    assert_eq!((names(&report), causes(&report)), (vec![], vec![closed.to_owned()]));
    let ways: [&[(&str, &str)]; 2] =
        [&[("UseSSL", "1")], &[("UseSSL", "1"), ("ServerPort1", "3268")]];
    for way in ways {
        let refused = ask(&with(way), "doe").await;
        let told = causes(&refused);
        assert!(told.len() == 1 && told[0].contains("certificate"), "{told:?}");
    }
    net.ask_about_certificates(Arc::new(Yes));
    let secure = |more: &[(&str, &str)]| with(&[ways[0], more].concat());

    // The global catalogue by both ways to TLS, and by the server's own idea of a name.
    for way in ways {
        for (typed, name) in [("doe", "John Doe"), ("john d", "John Doe"), ("müll", "Zoë Müller")]
        {
            let report = ask(&with(way), typed).await;
            assert_eq!(
                (names(&report), causes(&report)),
                (vec![name.to_owned()], vec![]),
                "{typed}"
            );
            let im = report.people[0].im.as_ref().map(|im| im.domain().to_owned());
            assert_eq!(im.as_deref(), Some("example.test"));
        }
    }
    // One domain, from the root that the server names; it refers to places without people.
    let domain = secure(&[("ConnectionType", "1")]);
    let report = ask(&domain, "doe").await;
    assert_eq!((names(&report), causes(&report)), (vec!["John Doe".to_owned()], vec![]));
    let wish = Wish::Number("+14085550001".into());
    let both = search(&directories, &domain, &Standing::default(), &wish, 50).await;
    assert_eq!((both.people.len(), causes(&both)), (2, vec![]));
    let wish = Wish::Im("zmueller@example.test".parse().expect("an address"));
    let one = search(&directories, &domain, &Standing::default(), &wish, 50).await;
    assert_eq!((names(&one), causes(&one)), (vec!["Zoë Müller".to_owned()], vec![]));

    // A group, and who is in it: by its word, and by theirs where it hides its members.
    for plan in [&domain, &secure(&[])] {
        let wish = Wish::Groups("r&d".into());
        let found = search(&directories, plan, &Standing::default(), &wish, 20).await;
        let [group] = &found.groups[..] else { panic!("{found:?}") };
        assert_eq!(group.name, GROUP);
        let read = members(&directories, plan, &Standing::default(), &group.id).await;
        assert_eq!((read.people.len(), read.no_people, read.left_out), (2, 0, 0), "{read:?}");
        assert!(read.people.iter().all(|person| person.im.is_some()) && read.problems.is_empty());
        let hiding = HidesMembers(&directories);
        let read = members(&hiding, plan, &Standing::default(), &group.id).await;
        assert_eq!((read.people.len(), read.no_people, read.problems.len()), (2, 0, 0), "{read:?}");
    }

    // Nobody may not search, and a wrong password is none.
    let nobody = [("PrimaryServerName", "127.0.0.1"), ("UseSSL", "1")];
    let report = ask(&plan(&nobody, &given("")), "doe").await;
    assert_eq!((names(&report), causes(&report)), (vec![], vec![closed.to_owned()]));
    let wrong = plan(&[&named[..], ways[0]].concat(), &given("wrong"));
    let report = ask(&wrong, "doe").await;
    let cause = "The directory 127.0.0.1 does not take the name and password that are set for it.";
    assert_eq!(
        (names(&report), causes(&report)),
        (vec![], vec![cause.to_owned(), closed.to_owned()])
    );

    by_ticket(folder, &net, &directories).await;

    // Samba publishes what Active Directory does.
    let catalogue = net.srv("_gc._tcp.example.test").await.expect("records");
    assert_eq!(catalogue.records[0].port, 3268);
    assert_eq!(catalogue.records[0].target, "dc1.example.test");
}

/// Enhanced directory integration as at a desk of the domain: nothing is set, the servers are found in
/// the name system, and whoever is signed in there asks.
async fn by_ticket(folder: &Path, net: &Arc<Net>, directories: &Directories) {
    if !exists("kinit") {
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED: no kinit, so no tickets");
        return;
    }
    let ask = async |settings: &[(&str, &str)], windows: bool| {
        let plan = plan(settings, &Given { windows, ..given("") });
        let domain = plan.looks_for().map(str::to_owned);
        let plan = match domain {
            Some(domain) => {
                let found = async |service: &str| {
                    let answer = net.srv(&format!("{service}.{domain}")).await.expect("records");
                    let target = |one: Srv| Target { host: one.target, port: one.port };
                    answer.records.into_iter().map(target).collect::<Vec<_>>()
                };
                plan.with_found(&found("_gc._tcp").await, &found("_ldap._tcp").await)
            }
            None => plan,
        };
        let wish = Wish::Typed("müll".into());
        let report = search(directories, &plan, &Standing::default(), &wish, 50).await;
        let causes: Vec<_> = report.problems.iter().map(|one| one.cause.clone()).collect();
        (report.people.len(), causes)
    };
    std::fs::write(
        folder.join("krb5.conf"),
        "[libdefaults]\n default_realm = EXAMPLE.TEST\n dns_lookup_kdc = false\n\
         \x20dns_canonicalize_hostname = false\n rdns = false\n\
         [realms]\n EXAMPLE.TEST = {\n  kdc = 127.0.0.1\n }\n\
         [domain_realm]\n .example.test = EXAMPLE.TEST\n",
    )
    .expect("written");
    // Nobody is signed in yet, and says so beside the refusal of nobody.
    let (found, causes) = ask(&[], true).await;
    assert_eq!(found, 0);
    assert!(causes[0].contains("nobody is signed in to the domain"), "{causes:?}");

    let mut kinit = Command::new("kinit").arg("jdoe").stdin(Stdio::piped()).spawn().expect("kinit");
    let mut typed = kinit.stdin.take().expect("an input");
    typed.write_all(b"Passw0rd.y\n").expect("typed");
    drop(typed);
    assert!(kinit.wait().expect("it ends").success());
    // In clear, encrypted by the ticket's key; then under TLS by both ways.
    let domain = ("ConnectionType", "1");
    let named = ("PrimaryServerName", "dc1.example.test");
    let secure = ("UseSSL", "1");
    let ways: [&[(&str, &str)]; 5] = [
        &[],
        &[domain],
        &[secure],
        &[named, domain, secure],
        &[named, secure, ("ServerPort1", "3268")],
    ];
    for settings in ways {
        assert_eq!(ask(settings, true).await, (1, vec![]), "{settings:?}");
    }
    // Elsewhere than on Windows it is for who sets it.
    assert_eq!(ask(&[("UseWindowsCredentials", "1"), named], false).await, (1, vec![]));
    assert_eq!(ask(&[("UseWindowsCredentials", "0"), named], true).await.0, 0);
    // An address is no name in a realm.
    let (found, causes) = ask(&[("PrimaryServerName", "127.0.0.1")], true).await;
    assert_eq!(found, 0);
    assert!(causes[0].contains("knows no directory by the name 127.0.0.1"), "{causes:?}");
}
