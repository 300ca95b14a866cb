// The stand-in for compiled tools: what one would write in Go over AWS's SDK in an afternoon.
//
//	gopeer dump-v2 TABLE DIRECTORY SEGMENTS LEVEL
//	gopeer load-v1|load-v2 TABLE DIRECTORY REQUESTS-IN-FLIGHT
//
// A dump is a file of zstd a segment, with lines {"Item":…}; a load takes any such files.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const batchItems = 25

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("gopeer: arguments are missing")
	}
	table, directory := os.Args[2], os.Args[3]
	switch number := integer(os.Args[4]); os.Args[1] {
	case "dump-v2":
		dump(table, directory, number, integer(os.Args[5]))
	case "load-v1":
		load(directory, number, newWriterV1(table))
	case "load-v2":
		load(directory, number, newWriterV2(table))
	default:
		log.Fatal("gopeer: unknown command")
	}
}

func integer(text string) int {
	number, err := strconv.Atoi(text)
	check(err)
	return number
}

func check(err error) {
	if err != nil {
		log.Fatal("gopeer: ", err)
	}
}

// value is an attribute value as DynamoDB's JSON has it.
type value struct {
	S    *string          `json:"S,omitempty"`
	N    *string          `json:"N,omitempty"`
	B    []byte           `json:"B,omitempty"`
	SS   []string         `json:"SS,omitempty"`
	NS   []string         `json:"NS,omitempty"`
	BS   [][]byte         `json:"BS,omitempty"`
	M    map[string]value `json:"M,omitempty"`
	L    []value          `json:"L,omitempty"`
	BOOL *bool            `json:"BOOL,omitempty"`
	NULL *bool            `json:"NULL,omitempty"`
}

type line struct {
	Item map[string]value
}

// output is one file of a dump.
type output struct {
	file *os.File
	zstd *zstd.Encoder
}

func newOutput(path string, level int) *output {
	file, err := os.Create(path)
	check(err)
	encoder, err := zstd.NewWriter(
		file, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(1))
	check(err)
	return &output{file, encoder}
}

func (o *output) close() {
	check(o.zstd.Close())
	check(o.file.Close())
}

// load reads the files of a directory, four at a time, and calls write with batches, inFlight at a
// time.
func load(directory string, inFlight int, write func([]map[string]value)) {
	files, err := filepath.Glob(filepath.Join(directory, "*.zst"))
	check(err)
	batches := make(chan []map[string]value, inFlight)
	paths := make(chan string)
	var readers, writers sync.WaitGroup
	for i := 0; i < 4; i++ {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for path := range paths {
				readLines(path, batches)
			}
		}()
	}
	for i := 0; i < inFlight; i++ {
		writers.Add(1)
		go func() {
			defer writers.Done()
			for batch := range batches {
				write(batch)
			}
		}()
	}
	for _, path := range files {
		paths <- path
	}
	close(paths)
	readers.Wait()
	close(batches)
	writers.Wait()
}

func readLines(path string, batches chan<- []map[string]value) {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	decoder, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
	check(err)
	defer decoder.Close()
	lines := bufio.NewScanner(decoder)
	lines.Buffer(make([]byte, 1<<20), 8<<20)
	var batch []map[string]value
	for lines.Scan() {
		var one line
		check(json.Unmarshal(lines.Bytes(), &one))
		batch = append(batch, one.Item)
		if len(batch) == batchItems {
			batches <- batch
			batch = nil
		}
	}
	check(lines.Err())
	if len(batch) > 0 {
		batches <- batch
	}
}
