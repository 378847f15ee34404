using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>What becomes of a request's messages where identity is enforced, worked out the slow way.</summary>
internal static class EditedMessages
{
    public static byte[] Tail(string session, string user) => [.. Proto.Text(1, session), .. Proto.Bytes(2, Proto.Text(1, user))];

    public static byte[] Expected(ReadOnlySpan<byte> request, string session, string user) =>
        [.. Split(request).SelectMany(message => Grpc.Frame([.. message, .. Tail(session, user)]))];

    /// <summary>The messages of a request, without their prefixes.</summary>
    public static IReadOnlyList<byte[]> Split(ReadOnlySpan<byte> request)
    {
        var messages = new List<byte[]>();
        while (Grpc.Read(request, out var size) is { } message)
        {
            messages.Add(message);
            request = request[size..];
        }

        Assert.True(request.IsEmpty);
        return messages;
    }
}
