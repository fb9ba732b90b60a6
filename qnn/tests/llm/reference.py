"""Writes the reference numbers of this folder with Hugging Face transformers: `python reference.py`.

Needs torch and transformers. The numbers are theirs; nothing of this project is run.
"""

import json
import math
import subprocess
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LogitsProcessorList
from transformers.generation import logits_process as processors
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.utils.chat_template_utils import render_jinja_template

HERE = Path(__file__).parent


def write(name, value):
    text = ",\n".join(json.dumps(item, ensure_ascii=False) for item in value)
    (HERE / name).write_text(f"[\n{text}\n]\n")


def sampling():
    options = [
        dict(),
        dict(temperature=0.7),
        dict(top_k=3),
        dict(top_p=0.8),
        dict(min_p=0.2),
        dict(temperature=0.8, top_k=5, top_p=0.9, min_p=0.1),
        dict(repetition_penalty=1.3),
        dict(temperature=1.7, top_p=0.5),
        dict(temperature=0.4, top_k=4, repetition_penalty=1.5),
        dict(top_k=100, top_p=0.999, min_p=0.01, repetition_penalty=0.8),
    ]
    cases = []
    generator = torch.Generator().manual_seed(3)
    for spread in (1.0, 4.0):
        for option in options:
            logits = torch.randn(1, 12, generator=generator) * spread
            history = torch.randint(0, 12, (1, 6), generator=generator)
            full = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0) | option
            chain = LogitsProcessorList()
            if full["repetition_penalty"] != 1.0:
                chain.append(processors.RepetitionPenaltyLogitsProcessor(full["repetition_penalty"]))
            if full["temperature"] != 1.0:
                chain.append(processors.TemperatureLogitsWarper(full["temperature"]))
            if full["top_k"]:
                chain.append(processors.TopKLogitsWarper(full["top_k"]))
            if full["top_p"] < 1.0:
                chain.append(processors.TopPLogitsWarper(full["top_p"]))
            if full["min_p"] > 0.0:
                chain.append(processors.MinPLogitsWarper(full["min_p"]))
            kept = torch.softmax(chain(history, logits.clone()), dim=-1)
            cases.append(
                full | dict(history=history[0].tolist(), logits=logits[0].tolist(), probabilities=kept[0].tolist())
            )
    write("sampling.json", cases)


def rope():
    llama3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=256)
    kinds = [
        (64, 1e6, dict(rope_type="default"), None),
        (32, 1e4, dict(rope_type="linear", factor=4.0), {"kind": "linear", "factor": 4.0}),
        (
            64,
            5e5,
            dict(rope_type="llama3") | llama3,
            {
                "kind": "llama3",
                "factor": 8.0,
                "low-frequency-factor": 1.0,
                "high-frequency-factor": 4.0,
                "original-context": 256.0,
            },
        ),
        (80, 1e4, dict(rope_type="default"), None),
        (
            64,
            1e6,
            dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=512),
            {
                "kind": "yarn",
                "factor": 4.0,
                "original-context": 512.0,
                "beta-fast": 32.0,
                "beta-slow": 1.0,
                "amplitude": 0.1 * math.log(4.0) + 1.0,
                "truncate": True,
            },
        ),
        (
            32,
            1e4,
            dict(
                rope_type="yarn",
                factor=8.0,
                original_max_position_embeddings=256,
                beta_fast=16,
                beta_slow=2,
                attention_factor=0.75,
                truncate=False,
            ),
            {
                "kind": "yarn",
                "factor": 8.0,
                "original-context": 256.0,
                "beta-fast": 16.0,
                "beta-slow": 2.0,
                "amplitude": 0.75,
                "truncate": False,
            },
        ),
    ]
    cases = []
    for head_dim, theta, parameters, scaling in kinds:
        config = LlamaConfig(
            head_dim=head_dim,
            hidden_size=head_dim,
            num_attention_heads=1,
            max_position_embeddings=2048,
            rope_parameters=dict(parameters, rope_theta=theta),
        )
        embedding = LlamaRotaryEmbedding(config)
        rows = []
        for position in (0, 1, 77, 1023):
            cos, sin = embedding(torch.zeros(1, 1, head_dim), torch.tensor([[position]]))
            half = slice(0, head_dim // 2)
            rows.append(dict(position=position, cos=cos[0, 0, half].tolist(), sin=sin[0, 0, half].tolist()))
        cases.append(dict(head_dim=head_dim, theta=theta, scaling=scaling, rows=rows))
    write("rope.json", cases)


TEMPLATES = {
    "turns marked by tokens": """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) or (message.role == 'assistant' and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "blocks on lines of their own": """{% if messages[0]["role"] == "system" %}
  {% set rest = messages[1:] %}
  {% set system = messages[0]["content"].strip() + "\\n\\n" %}
{% else %}
  {% set rest = messages %}
  {% set system = "" %}
{% endif %}
{{ bos_token }}
{% for message in rest %}
    {% if (message["role"] == "user") != (loop.index0 % 2 == 0) %}
        {{ raise_exception("user and assistant must speak by turns") }}
    {% endif %}
    {% if loop.index0 == 0 %}
        {% set content = system + message["content"] %}
    {% else %}
        {% set content = message["content"] %}
    {% endif %}
    {% if message["role"] == "user" %}
{{ "[INST] " + content.strip() + " [/INST]" }}
    {% elif message["role"] == "assistant" %}
{{ " " + content | trim + eos_token }}
    {% endif %}
{% endfor %}
""",
    "headers, a namespace, slices and methods": """{%- set ns = namespace(count=0, last='') -%}
{{- bos_token }}
{%- for message in messages[::-1] -%}
    {%- if message['role'] == 'user' and not ns.last -%}
        {%- set ns.last = message.content.split('\\n')[0] | upper -%}
    {%- endif -%}
{%- endfor -%}
{%- for message in messages %}
    {%- set ns.count = ns.count + 1 %}
    {%- if ns.count > 3 %}{% break %}{% endif %}
    {{- '<|start_header_id|>' ~ message['role'] ~ '<|end_header_id|>\\n\\n' ~ message['content'] | trim ~ '<|eot_id|>' }}
{%- endfor %}
{{- '#' ~ ns.count ~ ' ' ~ ns.last }}
{%- if messages[-1].content.startswith('H') and 'x' not in messages[0].content %} H{% endif %}
{%- if tools is defined and tools is not none %} tools{% endif %}
{%- macro shout(text) %}{{ text.replace('a', 'A').rstrip() }}!{% endmacro %}
{{- shout(messages[0].content) }}
{%- for key, value in messages[0].items() %}|{{ key }}={{ value | length }}{% endfor %}
""",
    "lines of another system, marks for training, names that are always there": "{% if tools is none and documents is none %}none{% endif %}\r\n"
    "{%- for m in messages %}\r\n    {%- if m.role == 'assistant' %}\r\n{% generation %}\r\n  {% set x = m.content %}{{ x }}{{ eos_token }}\r\n{%- endgeneration -%}"
    "\r\n    {%- else %}\r\n{{ '<' + m.role + '>\\r\\n' }}{{ m.content }}\r{% endif %}\r\n{%- endfor %}{{ x is defined }}\r\n\r\n",
    "json": """{% for message in messages %}{{ message | tojson }}
{% endfor %}{{ messages | tojson(indent=2) }} {{ {'a': [1, 2.5, true, none], 'b<': "'&é"} | tojson }}""",
}

CONVERSATIONS = [
    [("user", "Hello")],
    [("system", "  Be kind. "), ("user", "Who are you?\nTell <me> & \"them\"."), ("assistant", " I am a model. "), ("user", "Ah, naïve ☃ 'a'")],
]


def chat():
    cases = []
    for name, template in TEMPLATES.items():
        for turns in CONVERSATIONS:
            cases.append(render(name, template, turns))
    wrong = [("user", "a"), ("user", "b")]
    cases.append(render("refused", TEMPLATES["blocks on lines of their own"], wrong))
    write("chat.json", cases)


def render(name, template, turns):
    messages = [dict(role=role, content=content) for role, content in turns]
    try:
        prompt = render_jinja_template(
            [messages],
            chat_template=template,
            add_generation_prompt=True,
            bos_token="<s>",
            eos_token="</s>",
        )[0][0]
    except Exception as error:
        assert "by turns" in str(error), error
        prompt = None
    return dict(name=name, template=template, messages=messages, prompt=prompt)


def tokens():
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    texts = [
        "",
        "In the beginning God created the heaven and the earth.",
        " leading and  double spaces ",
        "line\nbreaks\r\n\n end",
        "They've 12 kings' 345",
        "naïve ☃ λόγος 🦀",
        "<|im_start|>user\nHi<|im_end|>\n",
        "tab\tand nul\u0000",
    ]
    write("tokens.json", [dict(text=text, tokens=tokenizer.encode(text, add_special_tokens=False).ids) for text in texts])


def dates():
    form = "+%a %A %d %e %b %B %m %y %Y %F %T %H:%M:%S"
    lines = []
    for seconds in (0, 951782399, 951782400, 1709164800, 1709251200, 1767225599, 1767225600, 4107542400, 4102444799, 1234567890):
        date = subprocess.run(["date", "-u", "-d", f"@{seconds}", form], capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
        lines.append(f"{seconds}\t{date.stdout}")
    (HERE / "dates.txt").write_text("".join(lines))


if __name__ == "__main__":
    sampling()
    rope()
    chat()
    tokens()
    dates()
