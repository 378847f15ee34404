using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Api.Admin;

/// <summary>Reads a request's parameters and body, and keeps every fault of them, so that a caller is told all at once.</summary>
internal sealed class Inputs
{
    private readonly List<Fault> faults = [];
    private JsonElement body;

    public IReadOnlyList<Fault> Faults => faults;

    /// <summary>A parameter that is not known would be ignored, and its list would be of other sessions than were meant.</summary>
    public void AllowQuery(HttpRequest request, params string[] known)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!known.Contains(name)) faults.Add(new(name, $"'{name}' is no parameter of this request; it knows {(known.Length == 0 ? "none" : string.Join(", ", known))}."));
            else if (values.Count > 1) faults.Add(new(name, $"{name} may be given once."));
        }
    }

    public SessionRef Session(string id)
    {
        if (SessionRef.Parse(Uri.UnescapeDataString(id)).TryGet(out var session, out var error)) return session;
        faults.AddRange(error.Faults);
        return SessionRef.To(Guid.Empty);
    }

    public int? Number(string field, string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return number;
        faults.Add(new(field, $"{field} must be a whole number."));
        return null;
    }

    public T Word<T>(string field, string? text, T otherwise)
        where T : struct, Enum
    {
        if (string.IsNullOrEmpty(text)) return otherwise;
        foreach (var value in Enum.GetValues<T>())
            if (AdminJson.Word(value) == text) return value;
        faults.Add(new(field, $"{field} must be one of {string.Join(", ", Enum.GetValues<T>().Select(AdminJson.Word))}."));
        return otherwise;
    }

    /// <summary>The `next` of the page before.</summary>
    public SessionPageKey? PageKey(string field, string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (Base64Url.IsValid(text)
            && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('/') is [var space, var name, var number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var incarnation))
        {
            return new SessionPageKey(new SessionName(space, name), incarnation);
        }

        faults.Add(new(field, $"{field} must be the 'next' of the page before, as it is."));
        return null;
    }

    public static string? Text(SessionPageKey? key) => key is null
        ? null
        : Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key.Name}/{key.Incarnation}")));

    /// <summary>A body with these members and no others; an empty body is an empty object.</summary>
    public async Task ReadBodyAsync(HttpRequest request, params string[] members)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
        if (buffer.Length == 0) return;
        try
        {
            using var document = JsonDocument.Parse(buffer.ToArray());
            if (document.RootElement.ValueKind == JsonValueKind.Object) body = document.RootElement.Clone();
            else faults.Add(new("", "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            faults.Add(new("", $"The body is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})."));
        }

        if (body.ValueKind != JsonValueKind.Object) return;
        foreach (var member in body.EnumerateObject().Where(member => !members.Contains(member.Name)))
            faults.Add(new(member.Name, $"'{member.Name}' is no member of this body; it knows {string.Join(", ", members)}."));
    }

    public string? BodyText(string member)
    {
        if (!TryMember(member, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        faults.Add(new(member, $"{member} must be a text."));
        return null;
    }

    public int BodyNumber(string member)
    {
        if (!TryMember(member, out var value)) faults.Add(new(member, $"{member} is missing."));
        else if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number)) faults.Add(new(member, $"{member} must be a whole number."));
        else return number;
        return 0;
    }

    private bool TryMember(string member, out JsonElement value)
    {
        value = default;
        return body.ValueKind == JsonValueKind.Object && body.TryGetProperty(member, out value) && value.ValueKind != JsonValueKind.Null;
    }
}
