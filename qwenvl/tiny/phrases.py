"""Lists the words of the synthetic world in English and Chinese: names, and the ways to ask each question."""

from __future__ import annotations

CHINESE = {
    "red": "红色",
    "orange": "橙色",
    "yellow": "黄色",
    "green": "绿色",
    "cyan": "青色",
    "blue": "蓝色",
    "purple": "紫色",
    "pink": "粉色",
    "black": "黑色",
    "white": "白色",
    "grey": "灰色",
    "navy": "深蓝色",
    "beige": "米色",
    "mint": "薄荷色",
    "circle": "圆形",
    "square": "正方形",
    "triangle": "三角形",
    "cross": "十字",
    "diamond": "菱形",
    "star": "星形",
    "ring": "圆环",
    "heart": "心形",
    "left": "左边",
    "right": "右边",
    "above": "上面",
    "below": "下面",
    "up": "上",
    "down": "下",
    "yes": "有",
    "no": "没有",
}

PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "colour": {
        "en": (
            "What colour is the {shape}?",
            "What is the colour of the {shape}?",
            "Which colour does the {shape} have?",
            "The {shape} is what colour?",
        ),
        "zh": ("{shape}是什么颜色？", "{shape}的颜色是什么？"),
    },
    "shape": {
        "en": (
            "What shape is the {colour} object?",
            "What is the {colour} object?",
            "Which shape is {colour}?",
            "Name the shape of the {colour} object.",
        ),
        "zh": ("{colour}的物体是什么形状？", "{colour}的是什么？"),
    },
    "count": {
        "en": ("How many shapes are there?", "How many shapes do you see?", "Count the shapes."),
        "zh": ("图中有几个图形？", "有多少个图形？"),
    },
    "count of": {
        "en": ("How many {kind} shapes are there?", "How many {kind} shapes do you see?", "Count the {kind} shapes."),
        "zh": ("有几个{kind}？", "图中有多少个{kind}？"),
    },
    "existence": {
        "en": (
            "Is there {a_thing}?",
            "Is there {a_thing} in the picture?",
            "Do you see {a_thing}?",
            "Does the picture show {a_thing}?",
        ),
        "zh": ("图中有{thing}吗？", "有没有{thing}？"),
    },
    "relation": {
        "en": (
            "Where is the {thing}, seen from the {other}?",
            "Is the {thing} left of, right of, above or below the {other}?",
            "On which side of the {other} is the {thing}?",
        ),
        "zh": ("{thing}在{other}的哪一边？",),
    },
    "furthest": {
        "en": ("Which shape is furthest {side}?", "What is the {side}most shape?"),
        "zh": ("最{side}的图形是什么？",),
    },
    "text": {
        "en": ("What does the text say?", "What is written here?", "Read the text.", "What is printed?"),
        "zh": ("图中写着什么？", "上面写了什么？"),
    },
    "text in": {
        "en": ("What is written in {colour}?", "Read the {colour} text.", "What does the {colour} text say?"),
        "zh": ("{colour}的字是什么？",),
    },
    "heading": {
        "en": ("What is the heading?", "Read the large print.", "What does the heading say?"),
        "zh": ("标题是什么？",),
    },
    "small print": {
        "en": (
            "What number is next to {word}?",
            "Which number belongs to {word}?",
            "Read the number after {word}.",
        ),
        "zh": ("{word}后面的数字是多少？",),
    },
    "grounding": {
        "en": (
            "Where is the {thing}?",
            "Find the {thing}.",
            "Give the box of the {thing}.",
            "Locate the {thing}.",
        ),
        "zh": ("{thing}在哪里？", "框出{thing}。"),
    },
    "region": {
        "en": ("What is in this box? ", "Which shape is here? ", "Name what lies in the box. "),
        "zh": ("这个框里是什么？",),
    },
    "caption": {
        "en": ("Describe the image.", "Describe the picture.", "What do you see?", "What is in the picture?"),
        "zh": ("描述这张图片。", "图中有什么？"),
    },
    "which picture": {
        "en": ("Which picture has {a_thing}?", "In which picture is {a_thing}?", "Which picture shows {a_thing}?"),
        "zh": ("哪张图里有{thing}？",),
    },
    "direction": {
        "en": (
            "Which way does the {thing} move?",
            "In which direction does the {thing} move?",
            "Where is the {thing} going?",
        ),
        "zh": ("{thing}往哪个方向移动？",),
    },
    "change": {
        "en": ("What happens to the {thing}?", "What does the {thing} do?"),
        "zh": ("{thing}发生了什么？",),
    },
    "order": {
        "en": ("Which changes first, the {thing} or the {other}?", "What changes first, the {thing} or the {other}?"),
        "zh": ("{thing}和{other}，哪个先变化？",),
    },
}


def say(word: str, language: str) -> str:
    """A word of the world in "en" or "zh"."""
    return CHINESE[word] if language == "zh" else word


def name_of(colour: str, shape: str, language: str, key: str = "thing") -> dict[str, str]:
    """A thing's name, to put into a phrase: "red star" as `thing`, "a red star" as `a_thing`."""
    if language == "zh":
        return {key: CHINESE[colour] + CHINESE[shape]}
    name = f"{colour} {shape}"
    return {key: name, f"a_{key}": with_article(name)}


def with_article(name: str) -> str:
    """An English name with its indefinite article."""
    return ("an " if name[0] in "aeiou" else "a ") + name
