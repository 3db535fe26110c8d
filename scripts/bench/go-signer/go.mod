module citadel.example/bench/go-signer

go 1.24
