//! The directory of a sign-in, whatever it speaks.

use std::sync::Arc;

use futures_util::lock::Mutex;
use offhook_config::Layers;
use offhook_model::{Authenticator, PhotoSource, Problem, Secret, SourceKind};
use offhook_ports::{BoxFuture, HttpRequest, Ldap, Target, World};

use crate::DirectoryAnswer;
use crate::ldap::{self, Given, LdapPlan, MembersReport, SignIn, SignInOf, Standing, Wish};
use crate::numbers::{Country, Matching};
use crate::uds::{self, UdsPlan, UdsStanding};

/// Bytes of a picture at most; the cache of pictures takes no more.
const PICTURE: usize = 1024 * 1024;

/// How the directory is asked, and what was learnt of it while it was. Clones share both.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Ldap {
        plan: Box<LdapPlan>,
        standing: Standing,
        /// The plan with the servers that were looked for, once they were.
        ready: Mutex<Option<Arc<LdapPlan>>>,
    },
    Uds {
        plan: UdsPlan,
        standing: UdsStanding,
    },
}

/// Servers of a domain that the name system knows: of the global catalogue, and of the domain.
pub type Servers = (Vec<Target>, Vec<Target>);

/// How [`Directory::ask`] finds servers that nobody named: the directory servers of this domain.
pub type Look<'a> = &'a (dyn Fn(String) -> BoxFuture<'a, Servers> + Send + Sync);

/// With what a directory is asked.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The web, for User Data Services and pictures: through the edge where we came that way.
    pub world: &'a World,
    /// Directories by LDAP.
    pub ldap: &'a dyn Ldap,
    /// Finds servers.
    pub look: Look<'a>,
}

/// What a sign-in gives for asking a directory, beside the settings that go with it.
#[derive(Clone, Debug, Default)]
pub struct SignedIn {
    /// Who let us in.
    pub authenticator: Option<Authenticator>,
    /// Name that was signed in with.
    pub name: String,
    /// Its password; nothing where a token was shown instead.
    pub password: Option<Secret<String>>,
    /// We came through the edge, where there is no LDAP (the seed, contact sources outside).
    pub outside: bool,
    /// Domain of the own address.
    pub im_domain: Option<String>,
    /// Domain that this computer belongs to (`USERDNSDOMAIN`).
    pub workstation_domain: Option<String>,
    /// Nodes of User Data Services, by cluster.
    pub clusters: Vec<Vec<Target>>,
    /// Where searches with a password go (`secureUDSUsersAccessURL`).
    pub secure_search: Option<String>,
    /// Password of the service profile's directory section.
    pub profile_password: Option<Secret<String>>,
    /// `ConnectionPassword` of the client configuration file.
    pub file_password: Option<Secret<String>>,
    /// Where numbers without a country code are from.
    pub country: Option<Country>,
}

impl SignedIn {
    fn credentials(&self) -> Option<(String, Secret<String>)> {
        let password = self.password.as_ref().filter(|password| !password.expose().is_empty())?;
        Some((self.name.clone(), password.clone()))
    }

    fn given(&self) -> Given {
        let of = match self.authenticator {
            Some(Authenticator::Cucm) => Some(SignInOf::Cucm),
            Some(Authenticator::Cup) => Some(SignInOf::Cup),
            Some(Authenticator::Webex) => Some(SignInOf::Webex),
            Some(Authenticator::Standard) | None => None,
        };
        let sign_in = of.zip(self.credentials());
        Given {
            windows: cfg!(windows),
            dns_domain: self.workstation_domain.clone(),
            im_domain: self.im_domain.clone(),
            profile_password: self.profile_password.clone(),
            file_password: self.file_password.clone(),
            sign_ins: sign_in
                .map(|(of, (name, password))| SignIn { of, name, password })
                .into_iter()
                .collect(),
        }
    }
}

impl Directory {
    /// The directory that these settings and this sign-in lead to, if they lead to one.
    pub fn drawn(layers: &Layers, of: &SignedIn) -> Option<Self> {
        let by_uds = || {
            let mut plan = UdsPlan::new(layers, of.clusters.clone());
            plan.credentials = of.credentials();
            plan.domain = plan.domain.or_else(|| of.im_domain.clone());
            plan.matching = Matching { country: of.country, last: 0 };
            if let Some(url) = &of.secure_search {
                plan = plan.with_secure_url(url);
            }
            (!plan.clusters.is_empty()).then(|| Self::by_uds(plan))
        };
        if of.outside {
            return by_uds();
        }
        match LdapPlan::read(layers, &of.given()).filter(LdapPlan::is_usable) {
            Some(plan) => Some(Self::by_ldap(plan)),
            None => by_uds(),
        }
    }

    /// A directory by LDAP.
    pub fn by_ldap(plan: LdapPlan) -> Self {
        Self(Arc::new(Inner::Ldap {
            plan: Box::new(plan),
            standing: Standing::default(),
            ready: Mutex::default(),
        }))
    }

    /// User Data Services.
    pub fn by_uds(plan: UdsPlan) -> Self {
        Self(Arc::new(Inner::Uds { plan, standing: UdsStanding::default() }))
    }

    /// Whose word its entries are.
    pub fn source(&self) -> SourceKind {
        match &*self.0 {
            Inner::Ldap { .. } => SourceKind::Ldap,
            Inner::Uds { .. } => SourceKind::Uds,
        }
    }

    /// What administrators should mend in the settings, whether or not it works.
    pub fn findings(&self) -> Vec<Problem> {
        match &*self.0 {
            Inner::Ldap { plan, .. } => plan.findings(),
            Inner::Uds { .. } => vec![],
        }
    }

    /// Asks for what is wished, `limit` people or groups at most.
    pub async fn ask(&self, means: Means<'_>, wish: &Wish, limit: u32) -> DirectoryAnswer {
        let (entries, groups, more, problems) = match &*self.0 {
            Inner::Ldap { plan, standing, ready } => {
                let plan = with_servers(plan, ready, means.look).await;
                let said = ldap::search(means.ldap, &plan, standing, wish, limit).await;
                (said.people, said.groups, said.more, said.problems)
            }
            Inner::Uds { plan, standing } => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let plan = plan.clone().with_limit(limit);
                let said = uds::search(means.world, &plan, standing, wish).await;
                (said.people, vec![], said.more, said.problems)
            }
        };
        DirectoryAnswer { entries, groups, more, problems, last: true }
    }

    /// There are groups in it that can be taken over.
    pub fn has_groups(&self) -> bool {
        matches!(&*self.0, Inner::Ldap { .. })
    }

    /// Reads who is in the group of this name in the directory.
    pub async fn members(&self, means: Means<'_>, id: &str) -> MembersReport {
        match &*self.0 {
            Inner::Ldap { plan, standing, ready } => {
                let plan = with_servers(plan, ready, means.look).await;
                ldap::members(means.ldap, &plan, standing, id).await
            }
            Inner::Uds { .. } => MembersReport::default(),
        }
    }

    /// Reads the picture of the entry that its source calls `id`. No bytes and no problem: there is
    /// none.
    pub async fn picture(
        &self,
        means: Means<'_>,
        id: &str,
        photo: &PhotoSource,
    ) -> (Option<Vec<u8>>, Vec<Problem>) {
        match (photo, &*self.0) {
            (PhotoSource::Url(url), _) => (by_url(means.world, url).await, vec![]),
            (PhotoSource::Attribute(attribute), Inner::Ldap { plan, standing, ready }) => {
                let plan = with_servers(plan, ready, means.look).await;
                ldap::picture(means.ldap, &plan, standing, id, attribute).await
            }
            (PhotoSource::Attribute(_), Inner::Uds { .. })
            | (PhotoSource::Kept(_) | PhotoSource::Of { .. }, _) => (None, vec![]),
        }
    }
}

/// Servers that nobody named are looked for once. Who asks meanwhile waits for what is found; where
/// nothing is found, the next question looks again.
async fn with_servers(
    plan: &LdapPlan,
    ready: &Mutex<Option<Arc<LdapPlan>>>,
    look: Look<'_>,
) -> Arc<LdapPlan> {
    let mut ready = ready.lock().await;
    if let Some(ready) = &*ready {
        return Arc::clone(ready);
    }
    let Some(domain) = plan.looks_for() else {
        return Arc::clone(ready.insert(Arc::new(plan.clone())));
    };
    let (catalogue, servers) = look(domain.to_owned()).await;
    let found = !catalogue.is_empty() || !servers.is_empty();
    let plan = Arc::new(plan.clone().with_found(&catalogue, &servers));
    if found {
        *ready = Some(Arc::clone(&plan));
    }
    plan
}

/// Pictures are decoration: why one cannot be had is not told.
async fn by_url(world: &World, url: &str) -> Option<Vec<u8>> {
    let request = HttpRequest { limit: PICTURE, ..HttpRequest::get(url) };
    let answer = world.http.send(request).await.ok()?;
    (answer.status == 200 && !answer.body.is_empty()).then_some(answer.body)
}
