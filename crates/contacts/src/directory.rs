//! The directory of a sign-in, whatever it speaks.

use std::sync::Arc;

use futures_util::lock::Mutex;
use offhook_model::{PhotoSource, Problem, SourceKind};
use offhook_ports::{BoxFuture, HttpRequest, Ldap, Target, World};

use crate::DirectoryAnswer;
use crate::ldap::{self, LdapPlan, Standing, Wish};
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

impl Directory {
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

    /// Asks for what is wished, `limit` people at most.
    pub async fn ask(&self, means: Means<'_>, wish: &Wish, limit: u32) -> DirectoryAnswer {
        let (entries, more, problems) = match &*self.0 {
            Inner::Ldap { plan, standing, ready } => {
                let plan = with_servers(plan, ready, means.look).await;
                let said = ldap::search(means.ldap, &plan, standing, wish, limit).await;
                (said.people, said.more, said.problems)
            }
            Inner::Uds { plan, standing } => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let plan = plan.clone().with_limit(limit);
                let said = uds::search(means.world, &plan, standing, wish).await;
                (said.people, said.more, said.problems)
            }
        };
        DirectoryAnswer { entries, more, problems, last: true }
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
            (PhotoSource::Attribute(_), Inner::Uds { .. }) | (PhotoSource::Kept(_), _) => {
                (None, vec![])
            }
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
