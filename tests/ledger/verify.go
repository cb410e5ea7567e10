// SPDX-License-Identifier: Apache-2.0

// verify reads a ledger's directory with Go's own implementation of signed
// notes and transparency logs, which shares no line with this project's: the
// checkpoint's signature, every hash tile up to the signed root, and the hash of
// every entry.
//
//	usage: verify DIR [VKEY]
//
// Prints the entries that it verified; exit status 1 and a line on standard
// error where anything does not fit.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// The path of the Nth tile, as C2SP tlog-tiles groups it by three digits.
func grouped(n int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	return path
}

// A directory as a tlog.TileReader.  Tiles that were verified are kept, so that
// the upper ones are read once.
type directory struct {
	root  string
	known map[tlog.Tile][]byte
}

func (d *directory) read(path string, w int) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(d.root, path))
	if w == width {
		return data, err
	}
	partial, perr := os.ReadFile(filepath.Join(d.root, path+".p", strconv.Itoa(w)))
	if perr == nil {
		return partial, nil
	}
	return data, err // the full one may have taken its place
}

func (d *directory) Height() int { return height }

func (d *directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		if data, ok := d.known[t]; ok {
			out[i] = data
			continue
		}
		data, err := d.read(fmt.Sprintf("tile/%d/%s", t.L, grouped(t.N)), t.W)
		if err != nil {
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %v is too short", t)
		}
		out[i] = data[:t.W*tlog.HashSize]
	}
	return out, nil
}

func (d *directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, t := range tiles {
		if t.L > 0 {
			d.known[t] = data[i]
		}
	}
}

// The signed tree of the checkpoint.
func checkpoint(root, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return tlog.Tree{}, err
	}
	text, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %v", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not of the log %q", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %v", err)
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("checkpoint: no hash: %v", err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], hash)
	return tree, nil
}

// The hashes of the bundle's entries.
func bundle(d *directory, n int64, count int) ([]tlog.Hash, error) {
	data, err := d.read("tile/entries/"+grouped(n), count)
	if err != nil {
		return nil, err
	}
	hashes := make([]tlog.Hash, 0, count)
	for len(hashes) < count {
		if len(data) < 2 {
			return nil, fmt.Errorf("bundle %d: too short", n)
		}
		size := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+size {
			return nil, fmt.Errorf("bundle %d: too short", n)
		}
		hashes = append(hashes, tlog.RecordHash(data[2:2+size]))
		data = data[2+size:]
	}
	if len(data) > 0 && count == width {
		return nil, fmt.Errorf("bundle %d: more than its entries", n)
	}
	return hashes, nil
}

func verify(root, vkey string) (int64, error) {
	if vkey == "" {
		text, err := os.ReadFile(filepath.Join(root, "vkey"))
		if err != nil {
			return 0, err
		}
		vkey = string(text)
	}
	tree, err := checkpoint(root, vkey)
	if err != nil {
		return 0, err
	}
	d := &directory{root: root, known: map[tlog.Tile][]byte{}}
	reader := tlog.TileHashReader(tree, d)
	for n := int64(0); n*width < tree.N; n++ {
		count := int(tree.N - n*width)
		if count > width {
			count = width
		}
		found, err := bundle(d, n, count)
		if err != nil {
			return 0, err
		}
		indexes := make([]int64, count)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, n*width+int64(i))
		}
		signed, err := reader.ReadHashes(indexes)
		if err != nil {
			return 0, err
		}
		for i := range found {
			if found[i] != signed[i] {
				return 0, fmt.Errorf("entry %d is not the one that was signed", n*width+int64(i))
			}
		}
	}
	return tree.N, nil
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: verify DIR [VKEY]")
		os.Exit(2)
	}
	vkey := ""
	if len(os.Args) == 3 {
		vkey = os.Args[2]
	}
	n, err := verify(os.Args[1], vkey)
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%d entries verified\n", n)
}
