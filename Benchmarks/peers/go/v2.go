package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		// Once in some thousand pages this SDK closes a connection that it is still reading from, and
		// does not try again by itself.
		for attempt := 1; err != nil && attempt < 3; attempt++ {
			page, err = pages.NextPage(context.Background())
		}
		check(err)
		for _, item := range page.Items {
			check(out.encode.Encode(line{fromV2Map(item)}))
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

func fromV2Map(item map[string]types.AttributeValue) map[string]value {
	result := make(map[string]value, len(item))
	for name, attribute := range item {
		result[name] = fromV2(attribute)
	}
	return result
}

func fromV2(attribute types.AttributeValue) value {
	switch member := attribute.(type) {
	case *types.AttributeValueMemberS:
		return value{S: &member.Value}
	case *types.AttributeValueMemberN:
		return value{N: &member.Value}
	case *types.AttributeValueMemberB:
		return value{B: member.Value}
	case *types.AttributeValueMemberSS:
		return value{SS: member.Value}
	case *types.AttributeValueMemberNS:
		return value{NS: member.Value}
	case *types.AttributeValueMemberBS:
		return value{BS: member.Value}
	case *types.AttributeValueMemberM:
		return value{M: fromV2Map(member.Value)}
	case *types.AttributeValueMemberL:
		list := make([]value, len(member.Value))
		for i, element := range member.Value {
			list[i] = fromV2(element)
		}
		return value{L: list}
	case *types.AttributeValueMemberBOOL:
		return value{BOOL: &member.Value}
	case *types.AttributeValueMemberNULL:
		return value{NULL: &member.Value}
	}
	panic("an attribute value of an unknown type")
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
