namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// What is wrong with a header block. <see cref="ListTooLarge"/> and <see cref="TooManyFields"/> concern its stream only;
/// after any other the dynamic table is no longer known, and the connection is lost.
/// </summary>
internal enum HpackError
{
    None,
    BadIndex,
    BadInteger,
    BadHuffman,
    Truncated,
    BadTableSize,
    ListTooLarge,
    TooManyFields,

    /// <summary>So far above its limits that reading on would be the attack.</summary>
    Unbounded,
}

/// <summary>Takes decoded fields in order. The spans are valid during the call only.</summary>
internal interface IHeaderSink
{
    /// <param name="isNeverIndexed">The sender forbids every hop to index the field: RFC 7541 section 6.2.3.</param>
    void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed);
}
