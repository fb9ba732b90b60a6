"""Writes the fixtures of the tokenizer tests.

usage: tokenizers.py MODEL.gguf EVAL.txt EVAL_IDS.npy    (needs the packages gguf, numpy and sentencepiece)

byte-level.gguf: the metadata of MODEL.gguf (a byte-level BPE), byte-level.json: a text and the ids that the makers of the
model have for it. sentencepiece.gguf: a SentencePiece BPE trained on EVAL.txt; sentencepiece.json: texts with the ids that
SentencePiece itself gives.
"""

import io
import json
import sys

import gguf
import numpy
import sentencepiece

TEXTS = [
    "Hello world",
    "In the beginning  God created\tthe heaven\nand the earth.",
    " leading and trailing ",
    "caf\u00e9 \u65e5\u672c\u8a9e \U0001f389 na\u00efve",
    "unto unto-unto untountounto 1234567890",
    "<s> is no token here </s>",
    "x",
]
KINDS = gguf.TokenType


def byte_level(model, text, ids):
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter("byte-level.gguf", "qwen2")
    for key, field in reader.fields.items():
        if not key.startswith("tokenizer."):
            continue
        value, kind = field.contents(), field.types[0]
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_array(key, value)
        else:
            writer.add_key_value(key, value, kind)
    finish(writer)
    text = open(text, encoding="utf-8").read()
    with open("byte-level.json", "w", encoding="utf-8") as file:
        json.dump({"text": text, "ids": numpy.load(ids).tolist()}, file, separators=(",", ":"))


def sentence_piece(text):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=text, model_writer=model, vocab_size=700, model_type="bpe", byte_fallback=True, character_coverage=0.999,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        split_digits=True, minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    count = processor.get_piece_size()
    kinds = []
    for id in range(count):
        if processor.is_unknown(id):
            kinds.append(KINDS.UNKNOWN)
        elif processor.is_control(id):
            kinds.append(KINDS.CONTROL)
        else:
            kinds.append(KINDS.BYTE if processor.is_byte(id) else KINDS.NORMAL)
    writer = gguf.GGUFWriter("sentencepiece.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([processor.id_to_piece(id) for id in range(count)])
    writer.add_token_scores([processor.get_score(id) for id in range(count)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(processor.bos_id())
    writer.add_eos_token_id(processor.eos_id())
    writer.add_unk_token_id(processor.unk_id())
    writer.add_add_bos_token(True)
    finish(writer)
    # What a text says of control tokens is no control token to SentencePiece, but is to those who load its tokens.
    texts = [t for t in TEXTS if "<s>" not in t] + open(text, encoding="utf-8").read().split("\n")[:60]
    cases = [{"text": t, "ids": [processor.bos_id()] + processor.encode(t)} for t in texts if t]
    with open("sentencepiece.json", "w", encoding="utf-8") as file:
        json.dump(cases, file, separators=(",", ":"))


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


if __name__ == "__main__":
    byte_level(*sys.argv[1:])
    sentence_piece(sys.argv[2])
