package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func newClientV2() *dynamodb.Client {
	settings, err := config.LoadDefaultConfig(context.Background())
	check(err)
	endpoint := dynamodb.EndpointResolverFromURL(os.Getenv("AWS_ENDPOINT_URL"))
	return dynamodb.NewFromConfig(settings, dynamodb.WithEndpointResolver(endpoint))
}

func dump(table, directory string, segments, level int) {
	check(os.MkdirAll(directory, 0o700))
	client := newClientV2()
	var all sync.WaitGroup
	for segment := 0; segment < segments; segment++ {
		all.Add(1)
		go func(segment int) {
			defer all.Done()
			path := filepath.Join(directory, fmt.Sprintf("%05d.ndjson.zst", segment))
			dumpSegment(client, table, segment, segments, newOutput(path, level))
		}(segment)
	}
	all.Wait()
}

func dumpSegment(client *dynamodb.Client, table string, segment, segments int, out *output) {
	defer out.close()
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName:     &table,
		Segment:       aws.Int32(int32(segment)),
		TotalSegments: aws.Int32(int32(segments)),
	})
	var text []byte
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		// Once in some thousand pages this SDK closes a connection that it is still reading from, and
		// does not try again by itself.
		for attempt := 1; err != nil && attempt < 3; attempt++ {
			page, err = pages.NextPage(context.Background())
		}
		check(err)
		for _, item := range page.Items {
			text = appendItem(append(text[:0], `{"Item":`...), item)
			_, err := out.zstd.Write(append(text, "}\n"...))
			check(err)
		}
	}
}

func newWriterV2(table string) func([]map[string]value) {
	client := newClientV2()
	return func(batch []map[string]value) {
		puts := make([]types.WriteRequest, len(batch))
		for i, item := range batch {
			puts[i].PutRequest = &types.PutRequest{Item: toV2Map(item)}
		}
		requests := map[string][]types.WriteRequest{table: puts}
		for len(requests) > 0 {
			answer, err := client.BatchWriteItem(
				context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
			check(err)
			requests = answer.UnprocessedItems
		}
	}
}

// appendItem and appendValue write DynamoDB's JSON without building anything: a reflecting encoder
// would cost half as much again.
func appendItem(out []byte, item map[string]types.AttributeValue) []byte {
	out = append(out, '{')
	for name, attribute := range item {
		out = append(appendString(out, name), ':')
		out = append(appendValue(out, attribute), ',')
	}
	return closing(out, '}')
}

func appendValue(out []byte, attribute types.AttributeValue) []byte {
	switch member := attribute.(type) {
	case *types.AttributeValueMemberS:
		out = appendString(append(out, `{"S":`...), member.Value)
	case *types.AttributeValueMemberN:
		out = appendString(append(out, `{"N":`...), member.Value)
	case *types.AttributeValueMemberB:
		out = appendBytes(append(out, `{"B":`...), member.Value)
	case *types.AttributeValueMemberSS:
		out = appendStrings(append(out, `{"SS":`...), member.Value)
	case *types.AttributeValueMemberNS:
		out = appendStrings(append(out, `{"NS":`...), member.Value)
	case *types.AttributeValueMemberBS:
		out = append(out, `{"BS":[`...)
		for _, element := range member.Value {
			out = append(appendBytes(out, element), ',')
		}
		out = closing(out, ']')
	case *types.AttributeValueMemberM:
		out = appendItem(append(out, `{"M":`...), member.Value)
	case *types.AttributeValueMemberL:
		out = append(out, `{"L":[`...)
		for _, element := range member.Value {
			out = append(appendValue(out, element), ',')
		}
		out = closing(out, ']')
	case *types.AttributeValueMemberBOOL:
		out = strconv.AppendBool(append(out, `{"BOOL":`...), member.Value)
	case *types.AttributeValueMemberNULL:
		out = append(out, `{"NULL":true`...)
	}
	return append(out, '}')
}

// closing ends a list or an object, whose last comma becomes the bracket.
func closing(out []byte, bracket byte) []byte {
	if out[len(out)-1] == ',' {
		out = out[:len(out)-1]
	}
	return append(out, bracket)
}

func appendStrings(out []byte, list []string) []byte {
	out = append(out, '[')
	for _, element := range list {
		out = append(appendString(out, element), ',')
	}
	return closing(out, ']')
}

func appendBytes(out []byte, value []byte) []byte {
	out = append(out, '"')
	start, length := len(out), base64.StdEncoding.EncodedLen(len(value))
	out = append(out, make([]byte, length)...)
	base64.StdEncoding.Encode(out[start:], value)
	return append(out, '"')
}

func appendString(out []byte, value string) []byte {
	out = append(out, '"')
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			out = append(out, fmt.Sprintf("\\u%04x", c)...)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

func toV2Map(item map[string]value) map[string]types.AttributeValue {
	result := make(map[string]types.AttributeValue, len(item))
	for name, attribute := range item {
		result[name] = toV2(attribute)
	}
	return result
}

func toV2(v value) types.AttributeValue {
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}
	case v.B != nil:
		return &types.AttributeValueMemberB{Value: v.B}
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}
	case v.M != nil:
		return &types.AttributeValueMemberM{Value: toV2Map(v.M)}
	case v.L != nil:
		list := make([]types.AttributeValue, len(v.L))
		for i, element := range v.L {
			list[i] = toV2(element)
		}
		return &types.AttributeValueMemberL{Value: list}
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}
