//! Conversations, rendered by the model's chat template.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, context};
use serde::Serialize;

use super::{clock, error, template};
use crate::{Error, Result};

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The app: how the model shall behave.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name in chat templates.
    pub fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// A conversation. [`crate::llm::Session::answer`] lets the model say what comes next:
///
/// ```no_run
/// # fn main() -> qnn::Result<()> {
/// use qnn::llm::{Llm, Sampling};
///
/// # let backend = qnn::Backend::htp()?;
/// let llm = Llm::load(&backend, std::path::Path::new("model"))?;
/// let (mut session, mut chat) = (llm.session(), llm.chat()?);
/// chat.system("Answer in one sentence.").user("Why is the sky blue?");
/// let mut answer = String::new();
/// for piece in session.answer(&chat, &Sampling::default()) {
///     answer += &piece?.text;
/// }
/// chat.assistant(answer).user("And at sunset?");
/// # Ok(())
/// # }
/// ```
pub struct Chat {
    template: Environment<'static>,
    special: BTreeMap<String, String>,
    messages: Vec<(Role, String)>,
}

/// Name of the only template of an environment.
const NAME: &str = "chat";

impl Chat {
    /// `special`: the tokenizer's special tokens, by their names in templates.
    pub(super) fn new(text: &str, special: BTreeMap<String, String>) -> Result<Chat> {
        let source = template::prepared(text)?;
        let mut environment = Environment::new();
        // As the library that templates are written for has it.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(failed)?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |why: String| -> Result<String, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
        });
        environment.add_function("strftime_now", |format: String| clock::now(&format));
        // As Python writes them.
        environment.set_formatter(|out, state, value| match value.kind() {
            ValueKind::Bool => {
                out.write_str(if value.is_true() { "True" } else { "False" }).map_err(Into::into)
            }
            ValueKind::None => out.write_str("None").map_err(Into::into),
            _ => minijinja::escape_formatter(out, state, value),
        });
        environment.add_filter("tojson", to_json);
        template::apart(|| environment.add_template_owned(NAME, source).map_err(failed))??;
        Ok(Chat { template: environment, special, messages: Vec::new() })
    }

    /// Adds a message.
    pub fn push(&mut self, role: Role, content: impl Into<String>) -> &mut Chat {
        self.messages.push((role, content.into()));
        self
    }

    /// Adds what the app says.
    pub fn system(&mut self, content: impl Into<String>) -> &mut Chat {
        self.push(Role::System, content)
    }

    /// Adds what the person says.
    pub fn user(&mut self, content: impl Into<String>) -> &mut Chat {
        self.push(Role::User, content)
    }

    /// Adds what the model said.
    pub fn assistant(&mut self, content: impl Into<String>) -> &mut Chat {
        self.push(Role::Assistant, content)
    }

    /// All messages.
    pub fn messages(&self) -> &[(Role, String)] {
        &self.messages
    }

    /// Takes the last message back.
    pub fn pop(&mut self) -> Option<(Role, String)> {
        self.messages.pop()
    }

    /// The text that the model goes on from: the conversation, and the beginning of its answer.
    ///
    /// # Errors
    /// [`ChatTemplate`](crate::ErrorKind::ChatTemplate) when the template refuses the conversation.
    pub fn prompt(&self) -> Result<String> {
        let messages: Vec<Value> = self
            .messages
            .iter()
            .map(|(role, content)| context! { role => role.name(), content => content })
            .collect();
        // Templates are made for a library that names these always.
        let context = context! {
            messages => messages,
            tools => Value::from(()),
            documents => Value::from(()),
            add_generation_prompt => true,
            ..Value::from_pairs(self.special.clone())
        };
        let said = self.messages.iter().map(|(_, content)| content.len()).sum();
        let mut environment = self.template.clone();
        environment.set_fuel(Some(template::fuel(self.messages.len(), said)));
        let render =
            || environment.get_template(NAME).and_then(|template| template.render(context)).map_err(failed);
        template::apart(render)?
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").field("messages", &self.messages).finish_non_exhaustive()
    }
}

fn failed(error: minijinja::Error) -> Error {
    let why = match error.kind() {
        ErrorKind::OutOfFuel => format!("it does not come to an end, or writes without measure ({error})"),
        _ => error.to_string(),
    };
    error::template(why)
}

/// JSON as Python's `json.dumps` writes it; the engine's own filter escapes what HTML would need.
fn to_json(value: Value, options: Kwargs) -> Result<String, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Other options of the Python function change nothing here.
    let mut json = Vec::new();
    let written = match indent {
        Some(indent) => {
            let indent = " ".repeat(indent);
            let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, formatter))
        }
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, Spaced)),
    };
    let failed = |why: String| minijinja::Error::new(ErrorKind::BadSerialization, why);
    written.map_err(|error| failed(error.to_string()))?;
    String::from_utf8(json).map_err(|error| failed(error.to_string()))
}

/// A space after every comma and colon.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, to: &mut W) -> std::io::Result<()> {
        to.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A template, a conversation, and what Hugging Face transformers makes of it.
    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        template: String,
        messages: Vec<Message>,
        /// `None` where it refuses.
        prompt: Option<String>,
    }

    #[derive(serde::Deserialize)]
    struct Message {
        role: String,
        content: String,
    }

    fn chat(template: &str) -> Result<Chat> {
        let special = [("bos_token", "<s>"), ("eos_token", "</s>")];
        Chat::new(template, special.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
    }

    #[test]
    fn a_template_cannot_end_or_stop_the_app() {
        let deep = "[".repeat(5000);
        let grown = "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
        let templates = [
            "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
            "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x|length }}",
            "{{ 'x' * 99999999 }}",
            "{% set ns = namespace(x='ab') %}{% for i in range(9) %}{% set ns.x = ns.x | replace('', ns.x) %}{% endfor %}",
            "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
            "{% set a = namespace() %}{% set b = [a] %}{% set a.x = {'y': b} %}{{ a == a }}",
            "{% macro f(a) %}{% set a.x = a %}{{ a | tojson }}{% endmacro %}{{ f(namespace()) }}",
            "{% set a = namespace(y=namespace()) %}{% set a.y.z = a %}{{ a }}",
            "{% set d = {'a': namespace()} %}{% set b = d.a %}{% set b.x = b %}{{ b }}",
            "{% macro f(a=namespace()) %}{% set a.x = a %}{{ a }}{% endmacro %}{{ f() }}",
            "{% raw %}{{ ' {% endraw %}{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
            grown,
            &format!("{{{{ {deep} }}}}"),
        ];
        for template in templates {
            let start = std::time::Instant::now();
            let error = chat(template).and_then(|chat| chat.prompt()).map(|prompt| prompt.len());
            let kind = error.as_ref().map_err(Error::kind);
            assert_eq!(kind, Err(crate::ErrorKind::ChatTemplate), "{template:.80}: {error:?}");
            assert!(start.elapsed().as_secs() < 20, "{template:.80}");
        }
    }

    #[test]
    fn a_long_conversation_with_a_busy_template_is_rendered() {
        let template = "{% set ns = namespace(all='') %}{% for m in messages %}{% for part in m.content.split(' ') %}\
                        {% set ns.all = ns.all ~ '' %}{{ part | trim | upper }} {% endfor %}{% endfor %}";
        let mut chat = chat(template).unwrap();
        for _ in 0..200 {
            chat.user("word ".repeat(400));
        }
        assert_eq!(chat.prompt().unwrap().len(), 200 * (400 * 5 + 1));
    }

    #[test]
    fn templates_render_as_transformers_renders_them() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/llm/chat.json")).unwrap();
        assert!(cases.len() >= 6);
        for case in cases {
            let mut chat = chat(&case.template).unwrap();
            for message in &case.messages {
                let roles = [Role::System, Role::User, Role::Assistant];
                let role = roles.into_iter().find(|role| role.name() == message.role).unwrap();
                chat.push(role, message.content.as_str());
            }
            match (&case.prompt, chat.prompt()) {
                (Some(expected), Ok(prompt)) => assert_eq!(&prompt, expected, "{}", case.name),
                (None, Err(error)) => {
                    assert!(error.to_string().contains("by turns"), "{}: {error}", case.name)
                }
                (expected, prompt) => panic!("{}: {prompt:?}, not {expected:?}", case.name),
            }
        }
    }

    #[test]
    fn a_template_that_cannot_be_parsed_is_refused_with_its_line() {
        let error = chat("{% for x in %}").unwrap_err().to_string();
        assert!(error.contains("chat template: ") && error.contains(":1"), "{error}");
    }

    #[test]
    fn the_date_of_today_can_be_asked_for() {
        let chat = chat("{{ strftime_now('%Y') }}").unwrap();
        let year: u32 = chat.prompt().unwrap().parse().unwrap();
        assert!(year >= 2025, "{year}");
    }
}
