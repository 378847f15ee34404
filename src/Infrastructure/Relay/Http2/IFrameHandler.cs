namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// What a <see cref="FrameReader"/> tells. Spans are valid during the call only. A method that returns an error other
/// than NoError ends the connection with it: the reader stops and reads nothing more.
/// </summary>
internal interface IFrameHandler
{
    /// <summary>A DATA frame begins; <paramref name="length"/> is its whole payload, padding included: what flow control counts.</summary>
    Http2Error OnDataStart(int stream, int length);

    /// <summary>
    /// A part of that frame, as it came. <paramref name="padding"/> bytes came with it that are not data. The last part has
    /// <paramref name="last"/> set, and carries END_STREAM if <paramref name="endStream"/>.
    /// </summary>
    Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream);

    /// <summary>A complete header block: HEADERS with all its CONTINUATION frames, padding and priority stripped.</summary>
    Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream);

    Http2Error OnSettings(ReadOnlySpan<byte> payload);

    Http2Error OnSettingsAck();

    Http2Error OnPing(ReadOnlySpan<byte> opaque);

    Http2Error OnPingAck(ReadOnlySpan<byte> opaque);

    Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug);

    /// <summary>Stream 0 is the connection. A zero increment has been refused for stream 0 already; for a stream it arrives here.</summary>
    Http2Error OnWindowUpdate(int stream, int increment);

    Http2Error OnRstStream(int stream, Http2Error code);

    /// <summary>A frame that is read and means nothing here: PRIORITY, and types that HTTP/2 does not name.</summary>
    Http2Error OnIgnored();

    /// <summary>A frame broke a rule whose breach concerns its stream only.</summary>
    Http2Error OnStreamError(int stream, Http2Error code);
}
