from classifier.evaluation.goals import goals_of_cells, least, most
from classifier.evaluation.intervals import rate
from classifier.evaluation.tables import Cell


def cell(name, recall=None, alarms=None):
    return Cell((name,), 9, 5, 4, 3, 0, 0, recall and rate(*recall), None, alarms and rate(*alarms))


def test_a_goal_is_certain_when_the_whole_interval_is_on_its_side():
    assert (least("r", rate(999, 1000), 0.97).met, least("r", rate(999, 1000), 0.97).certain) == (True, True)
    assert (least("r", rate(5, 5), 0.97).met, least("r", rate(5, 5), 0.97).certain) == (True, False)
    assert (least("r", rate(1, 100), 0.97).met, least("r", rate(1, 100), 0.97).certain) == (False, True)
    assert (most("f", rate(0, 10), 0.001).met, most("f", rate(0, 10), 0.001).certain) == (True, False)
    assert (most("f", rate(9, 10), 0.001).met, most("f", rate(9, 10), 0.001).certain) == (False, True)
    assert most("f", 0.2, 0.1, 4).certain is None


def test_recall_is_asked_over_the_six_and_in_the_worst_of_them():
    languages = [cell("en", recall=(10, 10)), cell("fr", recall=(5, 10)), cell("de", recall=(0, 90))]
    strata = [cell("neutral", alarms=(0, 50)), cell("of concern")]
    overall, worst, neutral = goals_of_cells(languages, strata)
    assert (overall.value, overall.of, overall.met) == (0.75, 20, False)
    assert (worst.value, worst.of) == (0.5, 10)
    assert (neutral.measure, neutral.met) == ("false-positive rate, neutral", True)
