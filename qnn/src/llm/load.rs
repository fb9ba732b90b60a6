//! Loading a model.

use std::fmt;
use std::sync::Arc;

use qnn_llm::Config;
use qnn_llm::deployment::{self, Deployment, Embedding};
use qnn_platform::soc;

use super::artifacts::{Described, descriptions};
use super::chat::Chat;
use super::decoder::Fixed;
use super::embedding::Table;
use super::parts::Parts;
use super::tables::Rope;
use super::text::Tokenizer;
use super::{LlmSource, Sampling, Session, error};
use crate::model::{self, Candidate};
use crate::{Backend, Device, Error, F16, LoadOptions, Result};

/// A language model, loaded on the device. Cheap to clone; sessions keep it alive.
///
/// `Send` and `Sync`: executions of its sessions take turns.
#[derive(Clone)]
pub struct Llm {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) fixed: Arc<Fixed<F16>>,
    pub(super) parts: Arc<Parts>,
    pub(super) tokenizer: Option<Tokenizer>,
    device: Device,
}

impl Llm {
    /// Loads a model: from a folder (`Path` or `PathBuf`), or what generated code holds. Of the SoCs it was compiled for, on a
    /// device that SoC's is taken, else one of its architecture; in the emulator that of `QNN_EMULATE_SOC`, else the first.
    ///
    /// # Errors
    /// [`LlmNotFound`](crate::ErrorKind::LlmNotFound), [`SeveralLlms`](crate::ErrorKind::SeveralLlms),
    /// [`LlmDescription`](crate::ErrorKind::LlmDescription) and [`LlmMismatch`](crate::ErrorKind::LlmMismatch) for what is missing or does
    /// not fit, [`NoArtifact`](crate::ErrorKind::NoArtifact) when the model was compiled for other SoCs,
    /// [`Stub`](crate::ErrorKind::Stub) when the app was built without its models, else as [`crate::Context::load`]. The emulator cannot
    /// load parts whose graphs share weights ([`Incompatible`](crate::ErrorKind::Incompatible)).
    pub fn load(backend: &Backend, source: impl Into<LlmSource>) -> Result<Llm> {
        Llm::load_with(backend, source, &LoadOptions::new())
    }

    /// Loads a model as [`Llm::load`] does, each of its parts with these options. Keys and values stay in ordinary memory, whatever
    /// [`LoadOptions::shared_memory`] says.
    ///
    /// # Errors
    /// As [`Llm::load`].
    pub fn load_with(backend: &Backend, source: impl Into<LlmSource>, options: &LoadOptions) -> Result<Llm> {
        let mut all = Compiled::of(source.into())?;
        let (device, index) = model::choose_device(backend, all.name(), &all.candidates()?)?;
        Llm::build(device, all.0.swap_remove(index), options)
    }

    /// Loads a model as [`Llm::load_with`] does, on a device that is open: in the emulator its SoC counts, whatever `QNN_EMULATE_SOC` says.
    ///
    /// # Errors
    /// As [`Llm::load`].
    pub fn load_on(device: &Device, source: impl Into<LlmSource>, options: &LoadOptions) -> Result<Llm> {
        let mut all = Compiled::of(source.into())?;
        let index = model::choose(all.name(), &all.candidates()?, &device.info())?;
        Llm::build(device.clone(), all.0.swap_remove(index), options)
    }

    fn build(
        device: Device,
        (deployment, described): (Deployment, Described),
        options: &LoadOptions,
    ) -> Result<Llm> {
        let tokenizer = match &deployment.text.tokenizer {
            Some(file) => Some(Tokenizer::new(&described.file(&deployment, file)?)?),
            None => None,
        };
        let table = match &deployment.embedding {
            Embedding::Host { file } => {
                Some(Table::new(file, described.file(&deployment, file)?, &deployment.config)?)
            }
            Embedding::Graph => None,
        };
        let parts = Arc::new(Parts::load(&device, &described, &deployment, options)?);
        let rope = Rope::new(&deployment.config, deployment.context, parts.turn_key_biases());
        let fixed = Arc::new(Fixed { deployment, rope, table });
        Ok(Llm { shared: Arc::new(Shared { fixed, parts, tokenizer, device }) })
    }

    /// A sequence of its own: an empty context with its own key and value cache.
    pub fn session(&self) -> Session {
        Session::new(self)
    }

    /// A conversation, to be rendered by the model's chat template.
    ///
    /// # Errors
    /// [`NoChatTemplate`](crate::ErrorKind::NoChatTemplate) when the model has none, [`ChatTemplate`](crate::ErrorKind::ChatTemplate) when it cannot be parsed.
    pub fn chat(&self) -> Result<Chat> {
        let deployment = self.deployment();
        let template = deployment.text.chat_template.as_deref();
        self.chat_with(template.ok_or_else(|| error::no_template(&deployment.model))?)
    }

    /// A conversation, to be rendered by another chat template (Jinja, as Hugging Face models have it).
    ///
    /// # Errors
    /// [`ChatTemplate`](crate::ErrorKind::ChatTemplate) when it cannot be parsed.
    pub fn chat_with(&self, template: &str) -> Result<Chat> {
        let text = &self.deployment().text;
        let name = |token: Option<u32>| {
            let tokenizer = self.shared.tokenizer.as_ref();
            token.zip(tokenizer).and_then(|(token, tokenizer)| tokenizer.token(token)).unwrap_or_default()
        };
        let special = text.special_tokens.clone().unwrap_or_else(|| {
            let tokens = [("bos_token", text.bos), ("eos_token", text.stop.first().copied())];
            tokens.map(|(key, token)| (key.to_owned(), name(token))).into()
        });
        Chat::new(template, special)
    }

    /// How the model's makers advise to choose tokens, and the defaults where they say nothing.
    pub fn advised(&self) -> Sampling {
        Sampling::advised(&self.deployment().text.advice)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`NoTokenizer`](crate::ErrorKind::NoTokenizer) when the model has none.
    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        self.shared.tokenizer.as_ref().ok_or_else(|| error::no_tokenizer(&self.deployment().model))
    }

    /// What the compiler says of the model: sizes, parts, strategy, source.
    pub fn deployment(&self) -> &Deployment {
        &self.shared.fixed.deployment
    }

    /// Sizes of the model.
    pub fn config(&self) -> &Config {
        &self.deployment().config
    }

    /// Positions of the context.
    pub fn context(&self) -> usize {
        self.deployment().context
    }

    /// The device it is loaded on; [`Device::performance`] raises its clocks.
    pub fn device(&self) -> &Device {
        &self.shared.device
    }
}

impl fmt::Debug for Llm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Deployment { model, soc, context, .. } = self.deployment();
        write!(f, "Llm({model:?} for {soc}, context {context})")
    }
}

/// What a source has of its one model: a description for each SoC.
struct Compiled(Vec<(Deployment, Described)>);

impl Compiled {
    fn of(source: LlmSource) -> Result<Compiled> {
        let mut all = Vec::new();
        for described in descriptions(&source)? {
            all.push((parse(&described)?, described));
        }
        one_model(&source, &all)?;
        Ok(Compiled(all))
    }

    fn name(&self) -> &str {
        self.0.first().map_or("", |(deployment, _)| &deployment.model)
    }

    fn candidates(&self) -> Result<Vec<Candidate>> {
        self.0.iter().map(|(deployment, _)| Ok(Candidate::from(soc::find(&deployment.soc)?))).collect()
    }
}

fn one_model(source: &LlmSource, all: &[(Deployment, Described)]) -> Result<()> {
    let path = match source {
        LlmSource::Path(path) => path,
        LlmSource::Artifacts([]) => {
            return Err(Error::invalid("model", "the app contains no artifact of it")
                .with_help("name SoCs in `soc` of [package.metadata.qnn] and build again"));
        }
        LlmSource::Artifacts(_) => return Ok(()),
    };
    let mut models: Vec<String> = all.iter().map(|(deployment, _)| deployment.model.clone()).collect();
    models.sort();
    models.dedup();
    match models.len() {
        0 => Err(error::not_found(path)),
        1 => Ok(()),
        _ => Err(error::several(path, models)),
    }
}

/// Reads a description and checks what the runtime relies on.
fn parse(described: &Described) -> Result<Deployment> {
    let error = |why: String| error::description(&described.origin, why);
    // The version first: another one may have other fields.
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } =
        serde_json::from_str(&described.text).map_err(|problem| error(problem.to_string()))?;
    if version != deployment::VERSION {
        let own = deployment::VERSION;
        return Err(error(format!("it has version {version}, this runtime reads version {own}")));
    }
    let deployment: Deployment =
        serde_json::from_str(&described.text).map_err(|problem| error(problem.to_string()))?;
    check(&deployment).map_err(error)?;
    Ok(deployment)
}

/// Above every size of a model, and small enough that products of three are numbers.
const LARGEST: usize = 1 << 20;

pub(super) fn check(deployment: &Deployment) -> Result<(), String> {
    let Deployment { config, context, tokens, parts, .. } = deployment;
    let kv_rows = config.kv_heads.saturating_mul(config.head_dim);
    let sizes = [config.hidden, config.heads, kv_rows, config.layers, config.vocabulary, *context];
    if sizes.iter().any(|size| *size > LARGEST) {
        return Err(format!("its sizes are beyond {LARGEST}"));
    }
    if sizes.contains(&0) || config.head_dim % 2 != 0 || config.heads % config.kv_heads != 0 {
        return Err("its sizes do not fit each other".to_owned());
    }
    if tokens.last() != Some(&1) || !tokens.is_sorted_by(|a, b| a > b) {
        return Err(format!("`tokens` is {tokens:?}, which must fall to 1"));
    }
    if *context < 2 || tokens[0] >= *context {
        return Err(format!("a context of {context} has no room beside {} new tokens", tokens[0]));
    }
    let mut next = 0;
    for part in parts {
        if part.first_layer != next {
            return Err(format!("`{}` begins with layer {}, not {next}", part.file, part.first_layer));
        }
        next = next.saturating_add(part.layers);
    }
    if next != config.layers {
        return Err(format!("its parts have {next} of {} layers", config.layers));
    }
    let heads = parts.iter().filter(|part| part.head).count();
    if heads != 1 || !parts.last().is_some_and(|part| part.head) {
        return Err("the last of its parts, and no other, must have the head".to_owned());
    }
    if parts.iter().rev().skip(1).any(|part| part.layers == 0) {
        return Err("a part without layers is not the last".to_owned());
    }
    Ok(())
}
