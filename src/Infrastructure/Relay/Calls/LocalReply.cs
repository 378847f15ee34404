using System.Buffers;
using System.Buffers.Text;
using System.Text;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Responses that the relay writes itself: HTTP 200 with a gRPC status, as stock clients understand it.</summary>
internal static class LocalReply
{
    /// <summary>Clients refuse header lists above 8 KiB, and the text is in there twice, once in base64.</summary>
    private const int MaxText = 2000;

    private const int IndexOfStatus200 = 8;

    /// <summary>HEADERS of a response that data will follow.</summary>
    public static void Headers(HeaderBlockWriter to)
    {
        to.Reset();
        to.AppendIndexed(IndexOfStatus200);
        to.Append("content-type"u8, "application/grpc"u8);
    }

    /// <summary>Trailers, or with <paramref name="isTrailersOnly"/> the whole response.</summary>
    public static void Trailers(HeaderBlockWriter to, GatewayError? error, bool isTrailersOnly)
    {
        if (isTrailersOnly) Headers(to);
        else to.Reset();
        if (error is null)
        {
            to.Append("grpc-status"u8, "0"u8);
            return;
        }

        var code = error.Code.ToGrpcStatus();
        var text = Cut(Prefix(error.Code) + error.Text);
        to.Append("grpc-status"u8, Encoding.ASCII.GetBytes(((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        to.Append("grpc-message"u8, Encoding.ASCII.GetBytes(PercentEncode(text)));
        to.Append("grpc-status-details-bin"u8, Details((int)code, text, error));

        // As gRPC demands where a compressed request is refused: the client can send it again without.
        if (error.Code == ErrorCode.Unimplemented) to.Append("grpc-accept-encoding"u8, "identity"u8);
    }

    /// <summary>A message of one field: the id of the client session, which clients check.</summary>
    public static byte[] SessionEcho(string clientSessionId)
    {
        var message = new ArrayBufferWriter<byte>(48);
        ProtoWriter.StringField(message, 1, clientSessionId);
        return WithPrefix(message.WrittenSpan);
    }

    /// <summary>grpc.health.v1.HealthCheckResponse: SERVING (1) or NOT_SERVING (2).</summary>
    public static byte[] Health(bool isServing) => WithPrefix([0x08, isServing ? (byte)1 : (byte)2]);

    private static byte[] WithPrefix(ReadOnlySpan<byte> message)
    {
        var framed = new byte[FirstMessage.PrefixBytes + message.Length];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(FirstMessage.PrefixBytes));
        return framed;
    }

    /// <summary>Clients recognise these two by the text: then they drop the session, and getOrCreate() opens a new one.</summary>
    private static string Prefix(ErrorCode code) => ErrorClass(code) is { } name ? $"[{name}] " : "";

    private static string? ErrorClass(ErrorCode code) => code switch
    {
        ErrorCode.SessionChanged => "INVALID_HANDLE.SESSION_CHANGED",
        ErrorCode.SessionClosed => "INVALID_HANDLE.SESSION_CLOSED",
        _ => null,
    };

    /// <summary>
    /// google.rpc.Status with one ErrorInfo, in base64. Code and message must equal grpc-status and grpc-message. Without
    /// it stock clients print the raw call object; it holds no errorId, or they would ask a driver for more.
    /// </summary>
    private static byte[] Details(int code, string text, GatewayError error)
    {
        var info = new ArrayBufferWriter<byte>(256);
        ProtoWriter.StringField(info, 1, "org.apache.spark.SparkException");
        ProtoWriter.StringField(info, 2, "org.apache.spark");
        Pair(info, "classes", "[\"org.apache.spark.SparkException\",\"java.lang.Exception\"]");
        if (ErrorClass(error.Code) is { } name)
        {
            Pair(info, "errorClass", name);
            Pair(info, "sqlState", "HY000");
            Pair(info, "messageParameters", "{}");
        }

        var any = new ArrayBufferWriter<byte>(320);
        ProtoWriter.StringField(any, 1, "type.googleapis.com/google.rpc.ErrorInfo");
        ProtoWriter.BytesField(any, 2, info.WrittenSpan);
        var status = new ArrayBufferWriter<byte>(text.Length + 400);
        ProtoWriter.VarintField(status, 1, (ulong)code);
        ProtoWriter.StringField(status, 2, text);
        ProtoWriter.BytesField(status, 3, any.WrittenSpan);

        var encoded = new byte[Base64.GetMaxEncodedToUtf8Length(status.WrittenCount)];
        Base64.EncodeToUtf8(status.WrittenSpan, encoded, out _, out var written);
        var length = written;
        while (length > 0 && encoded[length - 1] == '=') length--;
        return encoded[..length];
    }

    private static void Pair(ArrayBufferWriter<byte> info, string key, string value)
    {
        var entry = new ArrayBufferWriter<byte>(key.Length + value.Length + 8);
        ProtoWriter.StringField(entry, 1, key);
        ProtoWriter.StringField(entry, 2, value);
        ProtoWriter.BytesField(info, 3, entry.WrittenSpan);
    }

    private static string Cut(string text)
    {
        if (text.Length <= MaxText) return text;
        return string.Concat(text.AsSpan(0, MaxText / 2), " [...] ", text.AsSpan(text.Length - (MaxText / 2)));
    }

    private static string PercentEncode(string text)
    {
        var encoded = new StringBuilder(text.Length + 16);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (value is >= 0x20 and <= 0x7e and not (byte)'%') encoded.Append((char)value);
            else encoded.Append('%').Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }
}
