def run_once():
    return 0


def send_digests():
    return 0
