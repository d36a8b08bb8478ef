"""Names of real architectures: which tensors are layers, and why the others are not."""

import pytest
import torch

from boundkit import readers
from boundkit.layers.names import classify, looks_like_weight
from boundkit.types import StoredTensor

KINDS = {
    # torchvision ResNet
    "conv1.weight": ((64, 3, 7, 7), "conv2d"),
    "layer1.0.conv1.weight": ((64, 64, 3, 3), "conv2d"),
    "layer2.0.downsample.0.weight": ((128, 64, 1, 1), "conv2d"),
    "fc.weight": ((1000, 512), "linear"),
    # timm ViT
    "patch_embed.proj.weight": ((768, 3, 16, 16), "conv2d"),
    "blocks.0.attn.qkv.weight": ((2304, 768), "linear"),
    "blocks.0.mlp.fc1.weight": ((3072, 768), "linear"),
    "head.weight": ((1000, 768), "linear"),
    # Hugging Face BERT
    "bert.embeddings.word_embeddings.weight": ((30522, 768), "embedding"),
    "bert.embeddings.position_embeddings.weight": ((512, 768), "embedding"),
    "bert.encoder.layer.0.attention.self.query.weight": ((768, 768), "linear"),
    "bert.encoder.layer.0.intermediate.dense.weight": ((3072, 768), "linear"),
    "bert.pooler.dense.weight": ((768, 768), "linear"),
    # Hugging Face GPT-2 (Conv1D modules store matrices)
    "transformer.wte.weight": ((50257, 768), "embedding"),
    "transformer.wpe.weight": ((1024, 768), "embedding"),
    "transformer.h.0.attn.c_attn.weight": ((768, 2304), "linear"),
    "transformer.h.0.mlp.c_fc.weight": ((768, 3072), "linear"),
    "lm_head.weight": ((50257, 768), "linear"),
    # Hugging Face Llama
    "model.embed_tokens.weight": ((32000, 4096), "embedding"),
    "model.layers.0.self_attn.q_proj.weight": ((4096, 4096), "linear"),
    "model.layers.0.mlp.gate_proj.weight": ((11008, 4096), "linear"),
    # nn.LSTM, nn.MultiheadAttention, convolutions of other dimensions
    "lstm.weight_ih_l0": ((32, 8), "recurrent"),
    "lstm.weight_hh_l0_reverse": ((32, 8), "recurrent"),
    "lstm.weight_hr_l0": ((4, 8), "recurrent"),
    "attn.in_proj_weight": ((24, 8), "attention"),
    "attn.q_proj_weight": ((8, 8), "attention"),
    "attn.out_proj.weight": ((8, 8), "linear"),
    "wave.weight": ((4, 2, 3), "conv1d"),
    "volume.weight": ((4, 2, 3, 3, 3), "conv3d"),
    "w1": ((4, 2), "linear"),
}
OTHERS = {
    "layer1.0.bn1.weight": ((64,), "scales", "normalization"),
    "blocks.0.norm1.bias": ((768,), "bias", "bias"),
    "fc.bias": ((1000,), "bias: not a factor of rho", "bias"),
    "pos_embed": ((1, 197, 768), "embedding added", "embedding"),
    "cls_token": ((1, 1, 768), "not named as a weight", None),
    "blocks.0.ls1.gamma": ((768,), "a vector", None),
    "attn.in_proj_bias": ((24,), "bias", "bias"),
    "attn.bias_k": ((1, 1, 8), "bias", "bias"),
    "lstm.bias_ih_l0": ((32,), "bias", "bias"),
    "temperature": ((), "a single number", None),
    "relative_position_bias_table": ((169, 3), "bias", "bias"),
    "base.layer.lora_A.default.weight": ((8, 768), "adapter matrix", "adapter"),
    "base.layer.lora_B.weight": ((768, 8), "adapter matrix", "adapter"),
    "six.weight": ((1, 2, 1, 2, 1, 2), "6-d", None),
    "empty.weight": ((0, 5), "empty tensor", None),
}


def tensor(shape, dtype="float32", unread=None):
    storage = None if unread else type("Bytes", (), {"key": "k", "nbytes": 0})()
    return StoredTensor(shape, dtype, storage, unread=unread)


@pytest.mark.parametrize("name", KINDS)
def test_layers_by_name_and_shape(name):
    shape, kind = KINDS[name]

    assert classify(name, tensor(shape), {}).kind == kind


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_layer_says_why(name):
    shape, reason, obstacle = OTHERS[name]
    verdict = classify(name, tensor(shape), {})

    assert verdict.kind is None
    assert reason in verdict.reason
    assert verdict.obstacle == obstacle


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("bn.weight", (4,), "scale of a BatchNorm"),
        ("bn.bias", (4,), "shift of a BatchNorm"),
        ("bn.running_mean", (4,), "running mean"),
        ("bn.running_var", (4,), "running variance"),
    ],
)
def test_batch_norms_are_known_by_their_buffers(name, shape, reason):
    neighbors = {f"bn.{n}": tensor((4,)) for n in ("weight", "running_mean")}
    verdict = classify(name, tensor(shape), neighbors)

    assert reason in verdict.reason
    assert verdict.obstacle == "normalization"


def test_step_counters_are_no_parameters():
    verdict = classify("bn.num_batches_tracked", tensor((), "int64"), {})

    assert (verdict.parameter, verdict.obstacle) == (False, None)


def test_layer_norms_are_known_by_their_weight():
    neighbors = {"ln.weight": tensor((8,)), "ln.bias": tensor((8,))}

    assert classify("ln.bias", tensor((8,)), neighbors).obstacle == "normalization"
    assert classify("ln.weight", tensor((8,)), neighbors).obstacle == "normalization"


@pytest.mark.parametrize(
    ("dtype", "name", "shape", "obstacle"),
    [
        ("complex64", "fc.weight", (3, 3), "unread"),
        ("bool", "mask", (3, 3), None),
        ("int8", "fc.weight", (3, 3), "unread"),
        ("int32", "fc.qweight", (3, 3), "unread"),
        ("uint8", "packed", (3, 3), "unread"),
        ("int64", "index", (9,), None),
        ("qint8", "fc.weight", (3, 3), "unread"),
    ],
)
def test_numbers_that_are_no_real_floats(dtype, name, shape, obstacle):
    verdict = classify(name, tensor(shape, dtype), {})

    assert verdict.kind is None
    assert verdict.obstacle == obstacle


def test_tensors_without_numbers_say_so():
    verdict = classify("fc.weight", tensor((3, 3), unread="on the meta device"), {})

    assert verdict.reason == "on the meta device"
    assert verdict.obstacle == "unread"


def test_unusual_names_are_layers_where_no_name_is_usual():
    assert classify("A", tensor((3, 3)), {}).kind is None
    assert classify("A", tensor((3, 3)), {}, conventional=False).kind == "linear"


@pytest.mark.parametrize(
    ("module", "shape", "kind"),
    [
        ("Embedding", (9, 4), "embedding"),
        ("ConvTranspose2d", (3, 4, 2, 2), "conv_transpose2d"),
        ("Conv1d", (3, 4, 2), "conv1d"),
        ("LSTM", (3, 4), "recurrent"),
        ("Linear", (3, 4), "linear"),
    ],
)
def test_a_known_class_decides(module, shape, kind):
    assert classify("x.weight", tensor(shape), {}, module=module).kind == kind


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.weight", True),
        ("W3", True),
        ("kernel", True),
        ("lstm.weight_ih_l1", True),
        ("attn.in_proj_weight", True),
        ("a.bias", False),
        ("cls_token", False),
        ("x.lora_A.weight", False),
        ("0", True),
    ],
)
def test_usual_names_of_weights(name, expected):
    assert looks_like_weight(name) is expected


def test_classification_reads_no_number():
    class Untouchable:
        key, nbytes = "k", 4

        def read(self, start, stop):
            raise AssertionError

    stored = StoredTensor((2, 3), "float32", Untouchable())
    assert classify("fc.weight", stored, {}).kind == "linear"


def test_a_tensor_alone_is_a_layer():
    checkpoint = readers.read({"tensor": torch.ones(3, 2)})

    assert classify("tensor", next(iter(checkpoint.tensors.values())), {}).kind
