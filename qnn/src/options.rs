//! How a model is loaded.

use crate::{PerformanceMode, ProfileLevel};

/// Options of loading a model or a context binary. Without any, [`LoadOptions::new`], it is loaded as it was compiled.
///
/// ```
/// use qnn::{LoadOptions, PerformanceMode, Priority};
///
/// // For `digits::Model::load_with(&backend, &options)` of generated code, `Context::load` and `Llm::load_with`.
/// let options = LoadOptions::new().priority(Priority::High).performance(PerformanceMode::Burst).any_build(true);
/// assert_eq!(options.clone(), options);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until something is loaded with them"]
pub struct LoadOptions {
    pub(crate) any_build: bool,
    pub(crate) priority: Option<Priority>,
    pub(crate) performance: Option<PerformanceMode>,
    pub(crate) profile: Option<ProfileLevel>,
    pub(crate) shared_memory: bool,
}

impl LoadOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a binary although another build of QNN made it. The vendor promises nothing for this; newer libraries often load older
    /// binaries, older libraries hardly ever load newer ones. Without it that is
    /// [`Incompatible`](crate::ErrorKind::Incompatible).
    pub fn any_build(mut self, allowed: bool) -> Self {
        self.any_build = allowed;
        self
    }

    /// Who goes first where several contexts wait for the NPU. The library's own default is [`Priority::Normal`]. The emulator takes it,
    /// and has nothing to schedule.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Puts a performance mode in force before the model is loaded and for as long as it is, as [`crate::Device::performance`] does.
    pub fn performance(mut self, mode: PerformanceMode) -> Self {
        self.performance = Some(mode);
        self
    }

    /// Measures where the time of loading goes: [`crate::Context::load_profile`].
    pub fn profile(mut self, level: ProfileLevel) -> Self {
        self.profile = Some(level);
        self
    }

    /// Puts the buffers of [`crate::Graph::prepare`] into memory that the NPU reads and writes where it is, so that nothing is copied when
    /// a graph is executed. Where there is no such memory, which the emulator has not, they are ordinary;
    /// [`crate::Prepared::is_shared`] tells.
    pub fn shared_memory(mut self, shared: bool) -> Self {
        self.shared_memory = shared;
        self
    }
}

/// Scheduling priority of a context on the NPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// After all others.
    Low,
    /// The library's default.
    Normal,
    /// Before the default.
    NormalHigh,
    /// Before all others that an app may have.
    High,
}

impl Priority {
    pub(crate) fn raw(self) -> qnn_sys::types::Priority {
        match self {
            Priority::Low => qnn_sys::types::Priority::LOW,
            Priority::Normal => qnn_sys::types::Priority::NORMAL,
            Priority::NormalHigh => qnn_sys::types::Priority::NORMAL_HIGH,
            Priority::High => qnn_sys::types::Priority::HIGH,
        }
    }
}
