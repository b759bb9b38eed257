import argon2

from outlearn.serving.accounts import passwords


def test_hashes_are_argon2id_of_what_the_rfc_asks_for(monkeypatch):
    monkeypatch.undo()  # the cheap ones of the other tests
    found = argon2.extract_parameters(passwords.hashed("brown otter under a bridge"))
    assert found.type is argon2.Type.ID
    assert (found.time_cost, found.memory_cost, found.parallelism) == (3, 65536, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)
