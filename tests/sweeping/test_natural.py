from boundkit.sweeping.natural import natural


def test_numbers_count():
    names = ["e_10.pt", "e_9.pt", "e_9b.pt", "e.pt", "10/a", "9/z", "e_09.pt"]

    assert sorted(names, key=natural) == [
        *("9/z", "10/a", "e.pt", "e_9.pt", "e_09.pt", "e_9b.pt", "e_10.pt")
    ]


def test_long_rows_of_digits_are_no_obstacle():
    assert natural("1" * 5000) < natural("a")
