//! What a proxy is set up with, shared by all its exchanges.

use std::fmt;
use std::rc::Rc;

use crate::config::Config;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::url::{ParseUrl, Url};

pub use crate::config::ConfigError;

/// The policy of one proxy. Cheap to clone; shows nothing of itself in `Debug`, as it holds secrets.
#[derive(Clone)]
pub struct Policy {
    config: Rc<Config>,
}

impl Policy {
    /// Reads the proxy's options from JSON: `{upstream?, appId, apiKey, sessionSecret, allowedOrigins?, basePath?,
    /// maxPartSize?}`, defaults as in the package's `edge.d.ts`.
    ///
    /// # Errors
    /// An option is missing, not known or not what it must be; among them a session secret of less than 32 bytes.
    pub fn new(json: &str, parse: ParseUrl) -> Result<Self, ConfigError> {
        Config::from_json(json, parse).map(|config| Self { config: Rc::new(config) })
    }

    /// Begins the exchange of a request that came in. `headers` are names and values by turns.
    pub fn receive(&self, method: &str, url: &Url, headers: Vec<String>) -> Exchange {
        Exchange::new(Rc::clone(&self.config), method, url, &Headers::new(headers))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}
