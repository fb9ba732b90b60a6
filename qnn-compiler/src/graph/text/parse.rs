//! From text to a graph.

use std::collections::HashMap;
use std::fmt;

use super::constant::Elements;
use super::encoding;
use super::lex::{Placed, Token, tokens};
use crate::graph::{Attr, Attrs, DType, Encoding, Graph, Layout, Node, TensorType, ValueId};
use crate::infer::infer;
use crate::op::Op;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is expected there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads a graph. Only what is written is checked: what is wrong with the graph is for the verifier to say.
///
/// # Errors
/// The first place where the text is no graph.
pub fn parse(text: &str) -> Result<Graph, ParseError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        graph: Graph::default(),
        opset: 13,
        ids: HashMap::new(),
        open: HashMap::new(),
    };
    while parser.peek().is_some() {
        parser.statement()?;
        match parser.next() {
            None | Some(Token::End) => {}
            Some(_) => return Err(parser.behind("the end of the line is expected")),
        }
    }
    match parser.open.into_iter().min_by_key(|(_, (at, _))| *at) {
        None => Ok(parser.graph),
        Some((_, (_, error))) => Err(error),
    }
}

/// A name and which of the values that have it.
type Key = (String, usize);

pub(super) struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    graph: Graph,
    opset: i64,
    ids: HashMap<Key, ValueId>,
    /// Values that were read and are not yet made: where they are read first.
    open: HashMap<ValueId, (usize, ParseError)>,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at)?.token.clone();
        self.at += 1;
        Some(token)
    }

    /// An error at a token; behind the last one where there is none.
    fn error_at(&self, at: usize, message: impl Into<String>) -> ParseError {
        let place = self.tokens.get(at).or(self.tokens.last());
        let (line, column) = place.map_or((1, 1), |placed| (placed.line, placed.column));
        ParseError { line, column, message: message.into() }
    }

    /// An error at the next token.
    fn here(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at, message)
    }

    /// An error at the token that was read last.
    pub(super) fn behind(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at.saturating_sub(1), message)
    }

    fn takes(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    pub(super) fn comma(&mut self) -> bool {
        self.takes(&Token::Sign(','))
    }

    pub(super) fn sign(&mut self, sign: char) -> Result<(), ParseError> {
        if self.takes(&Token::Sign(sign)) { Ok(()) } else { Err(self.here(format!("{sign:?} is expected"))) }
    }

    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&mut self, what: &str) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.here(format!("{what} is expected"))),
        }
    }

    /// A number as it is written, `inf`, `nan` and truth values among them.
    pub(super) fn number(&mut self, what: &str) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Number(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            Some(Token::Word(word)) if matches!(&**word, "inf" | "nan" | "true" | "false") => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.here(format!("{what} is expected"))),
        }
    }

    pub(super) fn count<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, ParseError> {
        let text = self.number(what)?;
        text.parse().map_err(|_| self.behind(format!("{text} is not {what}")))
    }

    /// `[a, b]`, `[a x 3]`, `[a ... x 3]`.
    pub(super) fn list(&mut self, what: &str) -> Result<Vec<String>, ParseError> {
        self.sign('[')?;
        let mut items = Vec::new();
        while !self.takes(&Token::Sign(']')) {
            let item = self.number(what)?;
            self.takes(&Token::Ellipsis);
            if self.keyword("x") {
                let times: usize = self.count("how often it stands there")?;
                if times > 1 << 24 {
                    return Err(self.behind("that is too often"));
                }
                items.extend(std::iter::repeat_n(item, times));
            } else {
                items.push(item);
            }
            if !self.comma() && self.peek() != Some(&Token::Sign(']')) {
                return Err(self.here("',' or ']' is expected"));
            }
        }
        Ok(items)
    }

    fn statement(&mut self) -> Result<(), ParseError> {
        let keyword = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => return self.node(),
        };
        match keyword.as_str() {
            "graph" => {
                self.at += 1;
                self.graph.name = match self.peek() {
                    Some(Token::Text(_)) => self.text()?,
                    _ => self.word("the graph's name")?,
                };
                if self.keyword("opset") {
                    self.opset = self.count("an opset")?;
                }
                Ok(())
            }
            "input" => {
                self.at += 1;
                let id = self.declared()?;
                self.graph.inputs.push(id);
                Ok(())
            }
            "value" => {
                self.at += 1;
                self.declared().map(drop)
            }
            "const" => {
                self.at += 1;
                let id = self.declared()?;
                self.sign('=')?;
                let ty = self.graph.value(id).ty.clone();
                let at = self.at;
                let elements = self.elements()?;
                let data = elements.data(ty.dtype, ty.elements()).map_err(|why| self.error_at(at, why))?;
                self.graph.value_mut(id).data = Some(data);
                Ok(())
            }
            "output" => {
                self.at += 1;
                loop {
                    let id = self.value()?;
                    self.graph.outputs.push(id);
                    if !self.comma() {
                        return Ok(());
                    }
                }
            }
            "_" => self.node(),
            _ => Err(self.here(
                "a line begins with graph, input, const, value, output, or the name of a node's result",
            )),
        }
    }

    fn text(&mut self) -> Result<String, ParseError> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(self.behind("a text in quotes is expected")),
        }
    }

    /// The value of a name, added where it is not known yet.
    fn value(&mut self) -> Result<ValueId, ParseError> {
        let Some(Token::Value(name, which)) = self.peek().cloned() else {
            return Err(self.here("a value such as %x is expected"));
        };
        let key = (name, which);
        if let Some(&id) = self.ids.get(&key) {
            self.at += 1;
            return Ok(id);
        }
        let id = self.graph.add_value(key.0.clone(), TensorType::new(DType::F32, []));
        let error = self.here(format!("nothing makes %{}", key.0));
        self.open.insert(id, (self.at, error));
        self.ids.insert(key, id);
        self.at += 1;
        Ok(id)
    }

    /// A new value with its type.
    fn declared(&mut self) -> Result<ValueId, ParseError> {
        let at = self.at;
        let id = self.value()?;
        if self.open.remove(&id).is_none() {
            return Err(self.error_at(at, "there is a value of that name already"));
        }
        self.sign(':')?;
        let (ty, encoding) = self.ty()?;
        self.give(id, ty, encoding);
        Ok(id)
    }

    fn give(&mut self, id: ValueId, ty: TensorType, encoding: Option<Encoding>) {
        let value = self.graph.value_mut(id);
        value.ty = ty;
        value.encoding = encoding;
    }

    fn ty(&mut self) -> Result<(TensorType, Option<Encoding>), ParseError> {
        let name = self.word("a dtype")?;
        let dtype = DType::from_name(&name).ok_or_else(|| self.behind(format!("{name:?} is no dtype")))?;
        let dims = self.list("an extent")?;
        let read = |text: &String| text.parse().map_err(|_| self.behind(format!("{text} is no extent")));
        let shape: Vec<usize> = dims.iter().map(read).collect::<Result<_, _>>()?;
        crate::infer::volume(&shape).map_err(|why| self.behind(why.to_string()))?;
        let encoding = if self.keyword("as") { Some(encoding::parse(self)?) } else { None };
        Ok((TensorType::new(dtype, shape), encoding))
    }

    fn elements(&mut self) -> Result<Elements, ParseError> {
        if self.takes(&Token::Ellipsis) {
            return Ok(Elements::Elided);
        }
        if self.keyword("random") {
            self.sign('(')?;
            let seed = self.count("a seed")?;
            self.sign(')')?;
            return Ok(Elements::Random(seed));
        }
        match self.peek() {
            Some(Token::Sign('[')) => Ok(Elements::List(self.list("an element")?)),
            _ => Ok(Elements::Splat(self.number("an element, a list of them, random(SEED) or ...")?)),
        }
    }

    /// `%y: type, _ = Op@opset(%x, _) {attributes} channels-last "name"`.
    fn node(&mut self) -> Result<(), ParseError> {
        let begin = self.at;
        let mut outputs = Vec::new();
        let mut typed = Vec::new();
        loop {
            if self.keyword("_") {
                outputs.push(None);
                typed.push(true);
            } else {
                let id = self.value()?;
                self.open.remove(&id);
                outputs.push(Some(id));
                let ty = if self.takes(&Token::Sign(':')) { Some(self.ty()?) } else { None };
                typed.push(ty.is_some());
                if let Some((ty, encoding)) = ty {
                    self.give(id, ty, encoding);
                }
            }
            if !self.comma() {
                break;
            }
        }
        self.sign('=')?;
        let word = self.word("an operator")?;
        let (domain, name) = word.rsplit_once("::").unwrap_or(("", &word));
        let op = Op::of(domain, name);
        let opset = if self.takes(&Token::Sign('@')) { self.count("an opset")? } else { self.opset };
        self.sign('(')?;
        let mut inputs = Vec::new();
        while !self.takes(&Token::Sign(')')) {
            inputs.push(if self.keyword("_") { None } else { Some(self.value()?) });
            if !self.comma() && self.peek() != Some(&Token::Sign(')')) {
                return Err(self.here("',' or ')' is expected"));
            }
        }
        let attrs = self.attributes()?;
        let layout = if self.keyword("channels-last") { Layout::ChannelsLast } else { Layout::Onnx };
        let name = match self.peek() {
            Some(Token::Text(_)) => self.text()?,
            _ => outputs
                .iter()
                .flatten()
                .next()
                .map_or_else(|| op.name().to_owned(), |id| self.graph.value(*id).name.clone()),
        };
        let node = Node { name, op, opset, inputs, outputs, attrs, layout, part_of: None };
        if typed.contains(&false) {
            self.infer(&node, &typed).map_err(|why| self.error_at(begin, why))?;
        }
        self.graph.nodes.push(node);
        Ok(())
    }

    /// Types results whose types are not written.
    fn infer(&mut self, node: &Node, typed: &[bool]) -> Result<(), String> {
        if let Some(open) = node.inputs.iter().flatten().find(|id| self.open.contains_key(id)) {
            let name = &self.graph.value(*open).name;
            return Err(format!("the result's type must be written, since %{name} is made later"));
        }
        let types = infer(&self.graph, node, node.outputs.len())
            .map_err(|why| format!("the result's type must be written: {why}"))?;
        for ((output, ty), typed) in node.outputs.iter().zip(types).zip(typed) {
            if let Some(id) = output.filter(|_| !typed) {
                self.give(id, ty, None);
            }
        }
        Ok(())
    }

    fn attributes(&mut self) -> Result<Attrs, ParseError> {
        let mut attrs = Attrs::default();
        if !self.takes(&Token::Sign('{')) {
            return Ok(attrs);
        }
        while !self.takes(&Token::Sign('}')) {
            let name = self.word("an attribute")?;
            self.sign('=')?;
            let attr = self.attribute()?;
            attrs.set(&name, attr);
            if !self.comma() && self.peek() != Some(&Token::Sign('}')) {
                return Err(self.here("',' or '}' is expected"));
            }
        }
        Ok(attrs)
    }

    fn attribute(&mut self) -> Result<Attr, ParseError> {
        match self.peek() {
            Some(Token::Text(_)) => Ok(Attr::Str(self.text()?)),
            Some(Token::Sign('[')) => {
                let items = self.list("a number")?;
                if let Some(ints) = items.iter().map(|text| text.parse().ok()).collect::<Option<Vec<i64>>>() {
                    return Ok(Attr::Ints(ints));
                }
                self.floats(&items)
            }
            Some(Token::Word(word)) if word == "strings" => {
                self.at += 1;
                self.sign('[')?;
                let mut texts = Vec::new();
                while !self.takes(&Token::Sign(']')) {
                    texts.push(self.text()?);
                    self.comma();
                }
                Ok(Attr::Strs(texts))
            }
            Some(Token::Word(word)) if word == "floats" => {
                self.at += 1;
                let items = self.list("a number")?;
                self.floats(&items)
            }
            Some(Token::Word(word)) if DType::from_name(word).is_some() => {
                let (ty, _) = self.ty()?;
                self.sign('=')?;
                let at = self.at;
                let elements = self.elements()?;
                let data = elements.data(ty.dtype, ty.elements()).map_err(|why| self.error_at(at, why))?;
                Ok(Attr::Tensor(ty, data))
            }
            _ => {
                let text = self.number("a number, a text, a list or a tensor")?;
                match text.parse() {
                    Ok(int) => Ok(Attr::Int(int)),
                    Err(_) => {
                        let float = text.parse().map_err(|_| self.behind(format!("{text} is no number")))?;
                        Ok(Attr::Float(float))
                    }
                }
            }
        }
    }

    fn floats(&self, items: &[String]) -> Result<Attr, ParseError> {
        let read = |text: &String| text.parse().map_err(|_| self.behind(format!("{text} is no number")));
        items.iter().map(read).collect::<Result<_, _>>().map(Attr::Floats)
    }
}
