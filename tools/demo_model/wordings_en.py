"""Questions in English, by kind: the wordings that training shows, and those that it does not."""

from __future__ import annotations

from collections.abc import Mapping

Wordings = tuple[tuple[str, ...], tuple[str, ...]]
"""Seen in training, and not."""

ENGLISH: Mapping[str, Wordings] = {
    "name_at": (
        (
            *("What is {place}?", "What is {place}?", "What do you see {place}?", "What is there {place}?"),
            *("Which {noun} is {place}?", "What is the {noun} {place}?", "What can you see {place}?"),
            *("What {noun} is {place}?", "Tell me what is {place}.", "{place}: what is it?"),
        ),
        ("What do we have {place}?", "Which {noun} do you see {place}?", "Can you tell me what is {place}?"),
    ),
    "name_of": (
        (
            *("What is {ref}?", "What is {ref}?", "Which {noun} is {ref}?", "What kind of {noun} is {ref}?"),
            *("Tell me what {ref} is.", "What {noun} is {ref}?"),
        ),
        ("Can you tell me what {ref} is?", "{ref}: what is it?"),
    ),
    "colour": (
        (
            *("What colour is {ref}?", "What colour is {ref}?", "Which colour is {ref}?", "{ref} is what colour?"),
            *("What is the colour of {ref}?", "What colour does {ref} have?", "Which colour does {ref} have?"),
            *("Tell me the colour of {ref}.", "The colour of {ref}?", "In what colour is {ref}?"),
        ),
        ("Can you tell me the colour of {ref}?", "Which colour do you see on {ref}?", "{ref}: which colour is it?"),
    ),
    "pattern": (
        (
            *("What pattern does {ref} have?", "What is the pattern of {ref}?", "Which pattern is on {ref}?"),
            *("What pattern is {ref}?", "Tell me the pattern of {ref}.", "Which pattern does {ref} have?"),
        ),
        ("What pattern do you see on {ref}?", "Can you tell me the pattern of {ref}?"),
    ),
    "price": (
        (
            *(
                "How much is {ref}?",
                "How much does {ref} cost?",
                "What is the price of {ref}?",
                "What does {ref} cost?",
            ),
            *("How much for {ref}?", "What price is {ref}?", "Tell me the price of {ref}.", "The price of {ref}?"),
        ),
        ("Can you tell me the price of {ref}?", "{ref}: how much is it?", "What do I pay for {ref}?"),
    ),
    "value": (
        (
            *("What is the value of {ref}?", "How high is {ref}?", "What value does {ref} have?", "How much is {ref}?"),
            *("Which value does {ref} show?", "What number is on {ref}?", "Tell me the value of {ref}."),
        ),
        ("Can you tell me the value of {ref}?", "What number does {ref} have?"),
    ),
    "place": (
        (
            *("Where is {ref}?", "Where is {ref}?", "Where can I find {ref}?", "Where do you see {ref}?"),
            *("In which place is {ref}?", "Where is {ref} in the picture?", "Tell me where {ref} is."),
        ),
        ("Can you tell me where {ref} is?", "Where in the picture is {ref}?", "Where can you see {ref}?"),
    ),
    "box": (
        (
            *("Where is {ref}? Give a box.", "Mark {ref}.", "Draw a box around {ref}.", "Show me {ref} with a box."),
            *("Give the box of {ref}.", "Locate {ref}.", "Point at {ref}.", "Find {ref} and give its box."),
        ),
        ("Put a box around {ref}.", "Mark {ref} with a box.", "Show me where {ref} is with a box."),
    ),
    "presence": (
        (
            *("Is there {a}?", "Is there {a}?", "Is there {a} in the picture?", "Do you see {a}?", "Can you see {a}?"),
            *("Does the picture have {a}?", "Does the image show {a}?", "Is {a} in the picture?", "Any {bare} here?"),
        ),
        ("Does the picture show {a}?", "Do you see {a} in the picture?", "Can you find {a} here?"),
    ),
    "check": (
        (
            "Is {ref} {colour}?",
            "Is the colour of {ref} {colour}?",
            "{ref} is {colour}, right?",
            "Do you see {ref} in {colour}?",
        ),
        ("Does {ref} have the colour {colour}?", "Is it true that {ref} is {colour}?"),
    ),
    "count": (
        (
            *("How many {nouns} are there?", "How many {nouns} are there?", "How many {nouns} do you see?"),
            *("How many {nouns} are in the picture?", "Count the {nouns}.", "How many {nouns}?"),
            *("How many {nouns} can you see?", "What is the number of {nouns}?", "Tell me how many {nouns} there are."),
        ),
        ("How many {nouns} does the picture have?", "Can you count the {nouns}?", "How many {nouns} are here?"),
    ),
    "cheapest": (
        (
            "What is the cheapest?",
            "Which is cheapest?",
            "What costs the least?",
            "Which item is the cheapest?",
            "What is the cheapest item?",
        ),
        ("Which one costs the least?", "Tell me what is cheapest."),
    ),
    "dearest": (
        (
            *("What is the most expensive?", "Which is most expensive?", "What costs the most?"),
            *("Which item is the most expensive?", "What is the most expensive item?"),
        ),
        ("Which one costs the most?", "Tell me what is most expensive."),
    ),
    "compare_price": (
        (
            "Which costs more, {one} or {two}?",
            "What is more expensive, {one} or {two}?",
            "Is {one} or {two} more expensive?",
        ),
        ("Which is more expensive: {one} or {two}?", "What costs more, {one} or {two}?"),
    ),
    "largest": (
        (
            *(
                "Which bar is the largest?",
                "What is the largest bar?",
                "Which is the highest bar?",
                "Which bar is highest?",
            ),
            *("Which one is the tallest?", "What has the highest value?", "Which bar is the tallest?"),
        ),
        ("Which has the highest value?", "Tell me which bar is the largest.", "What is the tallest bar?"),
    ),
    "smallest": (
        (
            *(
                "Which bar is the smallest?",
                "What is the smallest bar?",
                "Which is the lowest bar?",
                "Which bar is lowest?",
            ),
            *("Which one is the shortest?", "What has the lowest value?", "Which bar is the shortest?"),
        ),
        ("Which has the lowest value?", "Tell me which bar is the smallest.", "What is the shortest bar?"),
    ),
    "compare_value": (
        ("Which is higher, {one} or {two}?", "What is larger, {one} or {two}?", "Is {one} or {two} higher?"),
        ("Which is larger, {one} or {two}?", "What is higher: {one} or {two}?"),
    ),
    "total": (
        (
            *(
                "What is the total?",
                "How much is the total?",
                "How much is it in total?",
                "What is the sum?",
                "How much did I pay?",
            ),
            *("What does it all cost?", "How much do I pay?", "What is the total of the receipt?", "The total?"),
        ),
        ("Tell me the total.", "How much did I pay in total?", "How much does it all cost?"),
    ),
    "store": (
        (
            "Which shop is it?",
            "What is the name of the shop?",
            "Where was this bought?",
            "From which shop is it?",
            "Which store is this from?",
        ),
        ("What is the shop called?", "Which shop is this from?"),
    ),
    "items": (
        ("What did I buy?", "What is on the receipt?", "Which items are on it?", "What was bought?", "List the items."),
        ("Tell me what I bought.", "Which items did I buy?"),
    ),
    "sum": (
        (
            "What is the answer?",
            "What is the result?",
            "Solve it.",
            "What does it come to?",
            "Can you solve this?",
            "How much is it?",
            "Calculate it.",
        ),
        ("Tell me the answer.", "What is the result of this?", "Please solve this."),
    ),
    "read": (
        (
            *("What does it say?", "What is written there?", "Read it.", "Read the text.", "What is written here?"),
            *("What does the picture say?", "Can you read it?", "Which words do you see?", "Read this to me."),
        ),
        ("Tell me what it says.", "Can you read the text?", "What text do you see?"),
    ),
    "meaning": (
        (
            *("What does the sign mean?", "What does this sign say?", "What sign is this?", "Which sign is it?"),
            *("What is the meaning of the sign?", "What kind of sign is this?", "Explain the sign."),
        ),
        ("Tell me what the sign means.", "What does this sign mean?", "Which sign do you see?"),
    ),
    "danger": (
        (
            "Is it dangerous?",
            "Is there a danger?",
            "Does it warn of a danger?",
            "Is this a warning?",
            "Must I take care here?",
            "Does the sign warn me?",
        ),
        ("Is there any danger here?", "Does this sign warn of a danger?"),
    ),
    "describe": (
        (
            *(
                "Describe the picture.",
                "Describe the image.",
                "Describe this picture.",
                "What do you see?",
                "What is this?",
            ),
            *("What is in the picture?", "What is in this image?", "What can you see?", "What's in the picture?"),
            *("What is shown here?", "Tell me about this picture.", "What does the picture show?", "Describe it."),
            *("Please describe what you see.", "What is on the picture?", "Give the picture a caption."),
        ),
        ("What can you see in the picture?", "Tell me what you see.", "What is in this picture?", "Write a caption."),
    ),
    "changed": (
        (
            "What changed?",
            "What has changed?",
            "What is different?",
            "What is the difference?",
            "What is new in the second picture?",
            "Compare the pictures.",
        ),
        ("What is different in the second picture?", "Which change do you see?", "Tell me what changed."),
    ),
    "it_colour": (
        (
            "What colour is it?",
            "What colour is it?",
            "Which colour is it?",
            "And its colour?",
            "What is its colour?",
            "And what colour is it?",
        ),
        ("Which colour does it have?", "And which colour is it?"),
    ),
    "it_place": (
        ("Where is it?", "Where is it?", "And where is it?", "Where exactly is it?", "Where in the picture is it?"),
        ("And where do you see it?", "Where can I find it?"),
    ),
    "it_name": (
        ("What is it?", "What is it?", "And what is it?", "What exactly is it?", "So what is it?"),
        ("And what is that?", "What is that?"),
    ),
    "it_price": (
        ("How much is it?", "What does it cost?", "And its price?", "And how much is it?", "What is its price?"),
        ("And what does it cost?", "How much does it cost?"),
    ),
    "it_pattern": (
        ("What pattern does it have?", "And its pattern?", "What is its pattern?", "Which pattern does it have?"),
        ("And which pattern does it have?", "What pattern is it?"),
    ),
    "it_value": (
        ("What is its value?", "How high is it?", "And its value?", "Which value does it have?"),
        ("And how high is it?", "What value does it have?"),
    ),
    "it_box": (
        ("Give its box.", "Mark it.", "Draw a box around it.", "Show it with a box."),
        ("Put a box around it.", "Mark it with a box."),
    ),
    "and": (
        ("And {ref}?", "And {ref}?", "What about {ref}?", "How about {ref}?"),
        ("And what about {ref}?", "Then {ref}?"),
    ),
    "and_other": (
        ("And the other one?", "And the other one?", "What about the other one?", "How about the other?"),
        ("And what about the other one?", "And the other?"),
    ),
    "no": (
        ("No, {ref}.", "I mean {ref}.", "No, I meant {ref}.", "Not that, {ref}."),
        ("No, I mean {ref}.", "Sorry, I meant {ref}."),
    ),
    "no_other": (
        ("No, the other one.", "I mean the other one.", "No, I meant the other one.", "Not that one, the other."),
        ("No, I mean the other one.", "Sorry, the other one."),
    ),
}
