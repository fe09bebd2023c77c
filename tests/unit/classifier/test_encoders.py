import sys

import pytest

from classifier.encoders import NAMES, EncoderError, make
from guidewatch import errors


@pytest.mark.parametrize("name", ["", "nobody-knows", "use:", "use:large", "e5:base", "sentence-transformers", "USE"])
def test_a_name_that_is_none_is_said_with_the_choices(name):
    with pytest.raises(EncoderError, match=f"^unknown encoder {name!r}: choose use, e5, or sentence-transformers:"):
        make(name)
    with pytest.raises(EncoderError) as raised:
        make("sentence-transformers: ")
    assert NAMES in str(raised.value)


def test_the_name_of_an_encoder_makes_it_again():
    assert make(make("use").name).name == "use"


def test_an_extra_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match=r"^sentence-transformers is not installed: pip install 'guidewatch\[tr"):
        make("sentence-transformers:/nowhere")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EncoderError, match=r"^the e5 encoder is not installed: pip install 'guidewatch\[e5\]'$"):
        make("e5")


def test_an_encoder_error_is_the_users_mistake():
    assert errors.status_of(EncoderError("no such model")) == errors.MISTAKE
