"""Lists every key of a `preprocessor_config.json`, as the image processor of transformers 5.23 reads it."""

from __future__ import annotations

from qwenvl.published_files.keys import HARMLESS, Key, Table, fixed, part, whole, words

PIXELS = 1 << 40

_NORMALISED = "a Qwen2-VL sees pictures resized, over 255 and normalised"

PREPROCESSOR: Table = {
    "min_pixels": whole(1, PIXELS, null=True),
    "max_pixels": whole(1, PIXELS, null=True),
    "size": part(null=True),
    "patch_size": whole(1, 256, null=True),
    "temporal_patch_size": whole(1, 16, null=True),
    "merge_size": whole(1, 16, null=True),
    "image_mean": Key("used"),
    "image_std": Key("used"),
    "image_processor_type": Key(
        "used",
        lambda value: value is None or (isinstance(value, str) and value.startswith(("Qwen2VL", "Qwen2_5_VL"))),
        "the image processor of Qwen2-VL",
    ),
    "do_resize": fixed(True, None, why=_NORMALISED),
    "do_rescale": fixed(True, None, why=_NORMALISED),
    "do_normalize": fixed(True, None, why=_NORMALISED),
    "do_convert_rgb": fixed(True, None, why="pictures have three colours here"),
    "rescale_factor": Key("fixed", lambda value: value is None or value in (1 / 255, 0.00392156862745098), "1/255"),
    "resample": fixed(3, None, why="pictures are resized bicubic here"),
    "do_center_crop": fixed(False, None, why="pictures are seen whole here"),
    "crop_size": fixed(None, why="pictures are seen whole here"),
    "do_pad": fixed(False, None, why="pictures are not padded here"),
    "pad_size": fixed(None, why="pictures are not padded here"),
    "data_format": fixed("channels_first", None, why="another order of values is not read here"),
    "input_data_format": HARMLESS,
    "default_to_square": HARMLESS,
    "processor_class": words(null=True),
    "auto_map": HARMLESS,
    "device": HARMLESS,
    "return_tensors": HARMLESS,
    "disable_grouping": HARMLESS,
    "feature_extractor_type": HARMLESS,
    "image_seq_length": HARMLESS,
    "vision_token_id": HARMLESS,
}

SIZE: Table = {
    "shortest_edge": whole(1, PIXELS, null=True),
    "longest_edge": whole(1, PIXELS, null=True),
    "min_pixels": whole(1, PIXELS, null=True),
    "max_pixels": whole(1, PIXELS, null=True),
    "height": fixed(None, why="pictures are not brought to one size here"),
    "width": fixed(None, why="pictures are not brought to one size here"),
    "max_height": fixed(None, why="pictures are not brought to one size here"),
    "max_width": fixed(None, why="pictures are not brought to one size here"),
}
