// SPDX-License-Identifier: Apache-2.0

// verify reads a ledger's directory with Go's own implementation of signed
// notes and transparency logs, which shares no line with this project's: the
// checkpoint's signature, the root over all entries, every hash tile, and some
// proofs.
//
// It makes all hashes anew rather than trust tlog.TileHashReader alone: that of
// x/mod 0.7.0 (Debian 12) does not authenticate the first tiles below those of
// the tree's hash where several of its subtrees lie in one tile.
//
//	usage: verify DIR [VKEY]
//
// Prints the entries that it verified; exit status 1 and a line on standard
// error where anything does not fit.
package main

import (
	"bytes"
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

// All hashes of a log, as tlog numbers them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", at)
		}
		out[i] = s[at]
	}
	return out, nil
}

// The log's hashes, made anew from its entries.
func remake(d *directory, size int64) (stored, error) {
	all := make(stored, 0, 2*size)
	for n := int64(0); n*width < size; n++ {
		count := int(size - n*width)
		if count > width {
			count = width
		}
		leaves, err := bundle(d, n, count)
		if err != nil {
			return nil, err
		}
		for i, leaf := range leaves {
			more, err := tlog.StoredHashesForRecordHash(n*width+int64(i), leaf, all)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

// Is every tile on the disk the one that the entries make?
func compareTiles(d *directory, size int64, all stored) error {
	for level, row := 0, size; row > 0; level, row = level+1, row/width {
		for n := int64(0); n*width < row; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: width}
			if row-n*width < width {
				t.W = int(row - n*width)
			}
			want, err := tlog.ReadTileData(t, all)
			if err != nil {
				return err
			}
			got, err := d.ReadTiles([]tlog.Tile{t})
			if err != nil {
				return err
			}
			if !bytes.Equal(got[0], want) {
				return fmt.Errorf("tile %d/%d is not that of the entries", level, n)
			}
		}
	}
	return nil
}

// As a client would who has nothing but the checkpoint: proofs from the tiles.
func checkProofs(d *directory, tree tlog.Tree, all stored) error {
	reader := tlog.TileHashReader(tree, d)
	for _, n := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return err
		}
		leaf := all[tlog.StoredHashIndex(0, n)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("proof of entry %d: %v", n, err)
		}
	}
	return nil
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
	all, err := remake(d, tree.N)
	if err != nil {
		return 0, err
	}
	hash, err := tlog.TreeHash(tree.N, all)
	if err != nil {
		return 0, err
	}
	if hash != tree.Hash {
		return 0, fmt.Errorf("the entries do not have the signed root")
	}
	if err := compareTiles(d, tree.N, all); err != nil {
		return 0, err
	}
	if tree.N > 0 {
		if err := checkProofs(d, tree, all); err != nil {
			return 0, err
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
