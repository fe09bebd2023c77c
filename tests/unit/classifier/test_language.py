import pytest

from classifier.language import detect, sample, supported

TEXTS = {
    "ar": "تقع الحديقة خلف البيت القديم، وفيها أشجار كثيرة يسقيها الجيران كل صباح قبل أن تشتد حرارة الشمس.",
    "zh": "花园在老房子的后面，里面有很多树，邻居们每天早上太阳出来之前都会去浇水。",
    "en": "The garden lies behind the old house, and the neighbours water its trees before the sun is up.",
    "fr": "Le jardin se trouve derrière la vieille maison, et les voisins arrosent ses arbres avant l'aube.",
    "ru": "Сад находится за старым домом, и соседи поливают в нём деревья ещё до восхода солнца.",
    "es": "El jardín está detrás de la casa vieja, y los vecinos riegan sus árboles antes de que salga el sol.",
}
OTHERS = {
    "de": "Der Garten liegt hinter dem alten Haus, und die Nachbarn gießen seine Bäume, bevor die Sonne aufgeht. ",
    "pt": "O jardim fica atrás da casa velha, e os vizinhos regam as suas árvores antes de o sol nascer. ",
    "uk": "Сад розташований за старим будинком, і сусіди поливають у ньому дерева ще до сходу сонця. ",
    "ja": "庭は古い家のうしろにあり、近所の人たちが日の出前に木に水をやっています。",
    "fa": "باغ پشت خانهٔ قدیمی است و همسایه‌ها پیش از برآمدن آفتاب درخت‌هایش را آب می‌دهند. ",
}


@pytest.mark.parametrize("code", TEXTS)
def test_the_six_are_told_apart(code):
    assert detect(TEXTS[code]) == code
    assert supported(code)


@pytest.mark.parametrize("code", OTHERS)
def test_other_languages_are_not_taken_for_one_of_the_six(code):
    assert detect(OTHERS[code] * 3) == code
    assert not supported(code)


def test_no_letter_no_language():
    assert detect("123 … !!") == "und"


def test_a_script_that_nobody_knows_is_not_supported():
    assert not supported(detect("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ " * 20))


def test_a_long_text_is_sampled_from_all_of_it():
    text = "a" * 5_000 + "b" * 5_000 + "c" * 5_000
    assert {"a", "b", "c"} <= set(sample(text))
    assert len(sample(text)) < 1_300


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Okulun bahçesinde ağaç dikme şenliği düzenlendi", "tr"),
        ("Zahrada za starým domem je plná květů", "cs"),
        ("Müller and Erdoğan met in the garden of the old house", "en"),
    ],
)
def test_letters_that_none_of_the_six_has_tell_a_short_text(text, language):
    assert detect(text) == language


@pytest.mark.parametrize(
    "text", ["Kit list in brief", "Skiing in winter is bliss", "Mini grill tips", "VINIL SIDING TIPS"]
)
def test_an_i_is_no_letter_of_another_language(text):
    assert detect(text) == "en"
