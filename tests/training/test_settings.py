import pytest

from paraclap.training import VARIANTS, Settings, variants


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer", "sgd", "Unknown optimizer 'sgd', expected one of adam, adamw"),
        ("device", "gpu", "Unknown device 'gpu'"),
        ("attention", "flash", "Unknown attention 'flash', expected"),
        ("batch", 1, "Bad batch 1, expected at least 2"),
        ("jobs", 0, "Bad jobs 0, expected at least 1"),
        ("crop_seconds", 0.0, "Bad crop_seconds 0.0, expected at least 0.05"),
        ("head_lr", float("nan"), "Bad head_lr nan"),
        ("head_lr", "fast", "Bad head_lr 'fast', expected float"),
        ("batch", "64", "Bad batch '64', expected int"),
        ("freeze_text", 1, "Bad freeze_text 1, expected bool"),
        ("steps", True, "Bad steps True, expected int"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**{name: value})
    with pytest.raises(ValueError, match="only_emotion asks for what"):
        Settings(only_emotion=True, emotion="never")


def test_settings_come_from_mappings_that_hold_other_things() -> None:
    found = Settings.of({"batch": 8, "crop_seconds": 2, "head_lr": "1e-4", "run": "demo"})
    assert (found.batch, found.crop_seconds, found.head_lr) == (8, 2.0, 1e-4)
    assert found == Settings(batch=8, crop_seconds=2.0, head_lr=1e-4)
    assert Settings.of(found.asdict()) == found


def test_the_defaults_are_the_paper() -> None:
    paper = Settings()
    assert (paper.batch, paper.epochs, paper.rand, paper.crop_seconds) == (64, 50, 5, 5.0)
    assert (paper.audio_lr, paper.text_lr, paper.head_lr) == (1e-5, 1e-5, 1e-3)
    assert (paper.optimizer, paper.similarity, paper.projection_dim) == ("adam", "cosine", 768)
    assert (paper.text_pooling, paper.text_encoder) == ("cls", "bert-base-uncased")
    assert (paper.projection, paper.dev_question("anger")) == ("paper", "speaker is angry")
    assert paper.but(dev_template="{}", dev_form="noun").dev_question("anger") == "anger"


def test_variants_differ_from_their_base_in_the_captions_only() -> None:
    base = Settings(batch=8, seed=3)
    found = variants(base, list(VARIANTS))
    assert found["rand5"] == base
    assert found["rand1"] == base.but(emotion="pool", rand=1)
    assert found["only_emo"] == base.but(only_emotion=True)
    assert found["no_emo_rand5"] == base.but(emotion="never")
    assert variants(base.but(emotion="never"), ["rand5"])["rand5"].emotion == "always"
    with pytest.raises(ValueError, match=r"Unknown variant 'rand_1'.*Did you mean 'rand1'"):
        variants(base, ["rand_1"])
