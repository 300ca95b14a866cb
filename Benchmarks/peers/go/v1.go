package main

import (
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/dynamodb"
)

func newWriterV1(table string) func([]map[string]value) {
	// The SDK's own client keeps two connections only, and opens new ones all the time.
	connections := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	settings := aws.NewConfig().WithEndpoint(os.Getenv("AWS_ENDPOINT_URL")).WithHTTPClient(connections)
	client := dynamodb.New(session.Must(session.NewSession()), settings)
	return func(batch []map[string]value) {
		puts := make([]*dynamodb.WriteRequest, len(batch))
		for i, item := range batch {
			puts[i] = &dynamodb.WriteRequest{PutRequest: &dynamodb.PutRequest{Item: toV1Map(item)}}
		}
		requests := map[string][]*dynamodb.WriteRequest{table: puts}
		for len(requests) > 0 {
			answer, err := client.BatchWriteItem(
				&dynamodb.BatchWriteItemInput{RequestItems: requests})
			check(err)
			requests = answer.UnprocessedItems
		}
	}
}

func toV1Map(item map[string]value) map[string]*dynamodb.AttributeValue {
	result := make(map[string]*dynamodb.AttributeValue, len(item))
	for name, attribute := range item {
		result[name] = toV1(attribute)
	}
	return result
}

func toV1(v value) *dynamodb.AttributeValue {
	result := &dynamodb.AttributeValue{
		S: v.S, N: v.N, B: v.B, BS: v.BS, BOOL: v.BOOL, NULL: v.NULL,
		SS: aws.StringSlice(v.SS), NS: aws.StringSlice(v.NS),
	}
	if len(v.SS) == 0 {
		result.SS = nil
	}
	if len(v.NS) == 0 {
		result.NS = nil
	}
	if v.M != nil {
		result.M = toV1Map(v.M)
	}
	for _, element := range v.L {
		result.L = append(result.L, toV1(element))
	}
	return result
}
