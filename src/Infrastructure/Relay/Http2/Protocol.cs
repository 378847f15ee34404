using System.Diagnostics.CodeAnalysis;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>RFC 9113 section 6.</summary>
internal enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

[Flags]
[SuppressMessage("Design", "CA1069:Enums values should not be duplicated", Justification = "One bit means END_STREAM on DATA and HEADERS, ACK on SETTINGS and PING.")]
internal enum FrameFlags : byte
{
    None = 0,
    EndStream = 0x1,
    Ack = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}

/// <summary>RFC 9113 section 7.</summary>
internal enum Http2Error : uint
{
    NoError = 0,
    ProtocolError = 1,
    InternalError = 2,
    FlowControlError = 3,
    SettingsTimeout = 4,
    StreamClosed = 5,
    FrameSizeError = 6,
    RefusedStream = 7,
    Cancel = 8,
    CompressionError = 9,
    ConnectError = 10,
    EnhanceYourCalm = 11,
    InadequateSecurity = 12,
    Http11Required = 13,
}

/// <summary>RFC 9113 section 6.5.2.</summary>
internal enum SettingId : ushort
{
    HeaderTableSize = 1,
    EnablePush = 2,
    MaxConcurrentStreams = 3,
    InitialWindowSize = 4,
    MaxFrameSize = 5,
    MaxHeaderListSize = 6,
}

internal static class Protocol
{
    public const int FrameHeaderBytes = 9;

    /// <summary>The initial value of every window, and of SETTINGS_INITIAL_WINDOW_SIZE.</summary>
    public const int DefaultWindow = 65_535;

    public const int DefaultHeaderTable = 4096;

    public const int DefaultMaxFrame = 16_384;

    public const int MaxFrameLimit = 16_777_215;

    public const int MaxWindow = int.MaxValue;

    public const int MaxStreamId = int.MaxValue;

    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;
}
