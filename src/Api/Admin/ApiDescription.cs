using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace SparkGateway.Api.Admin;

/// <summary>The OpenAPI document of the admin API, and a page that shows it; the page loads nothing from elsewhere.</summary>
internal static class ApiDescription
{
    public const string Page = "/docs";

    private const string Document = "/openapi";
    private const string Scheme = "bearer";

    public static bool Owns(PathString path) => path.StartsWithSegments(Page) || path.StartsWithSegments(Document);

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1", openApi =>
        openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Spark Gateway",
                Version = "v1",
                Description = "Sessions of Spark Gateway for operators. Times are RFC 3339 in UTC; errors are problem details (RFC 9457) that list every fault of an input; lists are {items, next}.",
            };
            document.Servers = [];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = Scheme, Description = "A token of admin.token_file." },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
            return Task.CompletedTask;
        }));

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapOpenApi(Document + "/{documentName}.json");
        app.MapScalarApiReference(Page, page =>
        {
            page.Title = "Spark Gateway";
            page.OpenApiRoutePattern = Document + "/{documentName}.json";
            page.DefaultFonts = false;
            page.Telemetry = false;
        });
    }

    public static RouteHandlerBuilder Describe<T>(this RouteHandlerBuilder endpoint, string name, string summary, string description, int status = StatusCodes.Status200OK) => endpoint
        .WithName(name)
        .WithTags("sessions")
        .WithSummary(summary)
        .WithDescription(description)
        .Produces<T>(status)
        .Produces<Problem>(StatusCodes.Status400BadRequest, Problem.ContentType)
        .Produces<Problem>(StatusCodes.Status401Unauthorized, Problem.ContentType)
        .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType)
        .Produces<Problem>(StatusCodes.Status409Conflict, Problem.ContentType)
        .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problem.ContentType);
}
