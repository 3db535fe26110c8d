// go-signer issues X509-SVIDs with Go's crypto/x509, as a yardstick for scripts/bench-issuance: it reads and verifies
// a request, and signs a leaf with the same contents as Citadel's.
//
// It is told on standard input `<seconds>` a line at a time and answers each with one line of JSON; it runs on one core.
package main

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type result struct {
	Issued     int     `json:"issued"`
	CPUSeconds float64 `json:"cpuSeconds"`
	Seconds    float64 `json:"seconds"`
	// The last certificate, DER in base64.
	Certificate []byte `json:"certificate"`
}

func main() {
	if len(os.Args) != 5 {
		fail("usage: go-signer ISSUER.pem KEY.pem REQUEST.pem SPIFFE-ID")
	}
	runtime.GOMAXPROCS(1)
	issuer, err := x509.ParseCertificate(block(os.Args[1]))
	check(err)
	parsed, err := x509.ParsePKCS8PrivateKey(block(os.Args[2]))
	check(err)
	key, ok := parsed.(crypto.Signer)
	if !ok {
		fail("the key cannot sign")
	}
	request, err := os.ReadFile(os.Args[3])
	check(err)
	id, err := url.Parse(os.Args[4])
	check(err)

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(lines.Text()), 64)
		check(err)
		answer, err := json.Marshal(run(seconds, issuer, key, request, id))
		check(err)
		fmt.Println(string(answer))
	}
}

func run(seconds float64, issuer *x509.Certificate, key crypto.Signer, request []byte, id *url.URL) result {
	var last []byte
	issued := 0
	cpu := cpuSeconds()
	start := time.Now()
	for end := start.Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); issued++ {
		last = issue(issuer, key, request, id)
	}
	return result{issued, cpuSeconds() - cpu, time.Since(start).Seconds(), last}
}

func issue(issuer *x509.Certificate, key crypto.Signer, request []byte, id *url.URL) []byte {
	decoded, _ := pem.Decode(request)
	csr, err := x509.ParseCertificateRequest(decoded.Bytes)
	check(err)
	check(csr.CheckSignature())
	serial := make([]byte, 16)
	_, err = rand.Read(serial)
	check(err)
	spki, err := x509.MarshalPKIXPublicKey(csr.PublicKey)
	check(err)
	keyID := sha256.Sum256(spki[len(spki)-65:])
	now := time.Now()
	// CreateCertificate verifies the signature that it made, as Citadel does.
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		NotBefore:             now.Add(-2 * time.Minute),
		NotAfter:              now.Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID[:20],
		URIs:                  []*url.URL{id},
	}, issuer, csr.PublicKey, key)
	check(err)
	// Citadel replies in PEM.
	pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return der
}

func block(path string) []byte {
	text, err := os.ReadFile(path)
	check(err)
	decoded, _ := pem.Decode(text)
	if decoded == nil {
		fail(path + " is not PEM")
	}
	return decoded.Bytes
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "go-signer: "+message)
	os.Exit(1)
}
